import atexit

atexit.register(print, "last handler")
atexit.register(lambda: 1 / 0)
print("main")
