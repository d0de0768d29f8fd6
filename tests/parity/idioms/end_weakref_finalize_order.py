import atexit
import weakref


class Value:
    pass


a, b = Value(), Value()
weakref.finalize(a, print, "a")
atexit.register(print, "handler")
weakref.finalize(b, print, "b")
