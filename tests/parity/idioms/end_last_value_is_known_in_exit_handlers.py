import atexit
import sys

atexit.register(lambda: print(type(sys.last_value).__name__, sys.exc_info()))
raise ValueError
