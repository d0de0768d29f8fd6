import os
import signal

signal.signal(signal.SIGUSR1, lambda number, frame: print("signal", number == signal.SIGUSR1))
os.kill(os.getpid(), signal.SIGUSR1)
print("main")
