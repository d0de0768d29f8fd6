import mmap
import os
import socket

block, kept = bytes(1 << 20), []


def fill(descriptor, megabytes):
    try:
        for _ in range(megabytes):
            os.write(descriptor, block)
    except OSError:
        pass


def fill_sockets():
    try:
        while True:
            pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            kept.append(pair)
            for end in pair:
                end.setblocking(False)
                try:
                    while True:
                        end.send(block[:200_000])
                except BlockingIOError:
                    pass
    except OSError:
        pass


def fill_maps():
    for megabytes in (64, 16, 4, 1):
        while True:
            try:
                shared = mmap.mmap(-1, megabytes << 20)
            except (OSError, MemoryError):
                break
            kept.append(shared)
            for at in range(0, megabytes << 20, 4096):
                shared[at] = 1
                if at % (1 << 20) == 0:
                    shared.madvise(mmap.MADV_DONTNEED)
            shared.madvise(mmap.MADV_DONTNEED)


def run(a, b):
    fill(0, 64)
    for number in range(8):
        fill(os.open(f"file{number}", os.O_CREAT | os.O_RDWR), 12)
    fill_sockets()
    fill_maps()
    return a + b


if __name__ == "__main__":
    run(1, 2)
