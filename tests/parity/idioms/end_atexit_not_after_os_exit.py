import atexit
import os

atexit.register(print, "not run")
print("flushed", flush=True)
os._exit(0)
