import atexit
import sys

atexit.register(sys.exit, 3)
print("status of the main program")
