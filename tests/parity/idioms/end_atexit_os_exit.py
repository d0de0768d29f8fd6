import atexit
import os
import sys

atexit.register(lambda: (sys.stdout.flush(), os._exit(5)))
print("main")
