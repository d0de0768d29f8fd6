import os


def report(message):
    frame = memoryview(len(message).to_bytes(4, "little") + message)
    while frame:
        frame = frame[os.write(3, frame) :]


def f(a, b):
    report(b'R{"' + b"a" * 200_000 + b'":1}')
    return 3
