import atexit

atexit.register(print, "a", "b", sep="-", end="!\n")
