import __main__

value = 3
print(__name__, __main__.value, __doc__, __package__, __spec__, type(__builtins__).__name__)
print(__debug__, __main__ is __import__("sys").modules["__main__"])
