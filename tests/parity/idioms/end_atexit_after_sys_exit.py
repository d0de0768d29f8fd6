import atexit
import sys

atexit.register(print, "still run")
sys.exit(6)
