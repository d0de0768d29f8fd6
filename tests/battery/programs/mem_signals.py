import os
import signal
import threading

signals = set(range(signal.SIGRTMIN, signal.SIGRTMAX))
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
for _ in range(4000):
    for number in signals:
        try:
            signal.pthread_kill(threading.get_ident(), number)
        except BlockingIOError:
            break
print(3)
