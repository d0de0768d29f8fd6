import inspect
import sys


def function():
    return len(inspect.stack())


print(len(inspect.stack()), function(), sys._getframe().f_back)
