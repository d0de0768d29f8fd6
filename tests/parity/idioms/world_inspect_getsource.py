import inspect


def function():
    return 1  # with its comment


print(inspect.getsource(function))
