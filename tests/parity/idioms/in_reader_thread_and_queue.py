import queue
import sys
import threading

lines = queue.Queue()


def read():
    for line in sys.stdin:
        lines.put(line.strip())
    lines.put(None)


threading.Thread(target=read, daemon=True).start()
while (line := lines.get()) is not None:
    print(line)
