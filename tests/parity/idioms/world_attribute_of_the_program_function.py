def f():
    """Text."""


print(f.__module__, f.__qualname__, f.__doc__, f.__code__.co_firstlineno, f.__globals__ is globals())
