from functools import cached_property, cmp_to_key, reduce, singledispatch


@singledispatch
def show(value):
    return "other"


@show.register
def _(value: int):
    return "int"


class Lazy:
    @cached_property
    def value(self):
        print("computed")
        return 1


lazy = Lazy()
print(show(1), show("x"), lazy.value + lazy.value, reduce(int.__mul__, range(1, 6)))
print(sorted([3, 1, 2], key=cmp_to_key(lambda a, b: b - a)))
