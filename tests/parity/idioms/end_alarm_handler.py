import signal
import time


class Late(Exception):
    pass


def ring(number, frame):
    raise Late


signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.1)
best = 0
try:
    while True:
        best += 1
        time.sleep(0.01)
except Late:
    print("the best so far", best > 0)
