class Meta(type):
    def __new__(mcs, name, bases, space, **options):
        return super().__new__(mcs, name, bases, {**space, "made": name}, **options)

    def __init__(cls, name, bases, space, **options):
        super().__init__(name, bases, space)


class Base(metaclass=Meta):
    registry = []

    def __init_subclass__(cls, **options):
        cls.registry.append((cls.__name__, options))


class Child(Base, flag=True):
    __slots__ = ("x",)

    def __getattr__(self, name):
        return f"<{name}>"


print(Base.registry, Child.made, Child().anything, Child.__mro__, Child)
