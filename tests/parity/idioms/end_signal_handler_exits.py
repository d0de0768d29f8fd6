import signal
import sys

signal.signal(signal.SIGTERM, lambda *_: (print("stopping"), sys.exit(0)))
signal.raise_signal(signal.SIGTERM)
