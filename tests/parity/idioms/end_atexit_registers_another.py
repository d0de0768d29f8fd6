import atexit

atexit.register(lambda: (print("one"), atexit.register(print, "two")))
