import inspect


def function(a, *rest, b: int = 3, **more) -> str:
    """Says nothing."""


print(inspect.signature(function), inspect.getdoc(function), function.__module__)
