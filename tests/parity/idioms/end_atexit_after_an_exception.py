import atexit

atexit.register(print, "still run")
raise ValueError
