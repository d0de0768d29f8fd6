import os
import select

watched = [os.pipe() for _ in range(30)]
kept = []
try:
    while True:
        watch = select.epoll()
        kept.append(watch)
        for pair in watched:
            for end in pair:
                watch.register(end, select.EPOLLIN | select.EPOLLET)
except OSError:
    pass
os.write(1, b"3\n")
