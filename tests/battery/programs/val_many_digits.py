import os


def report(message):
    frame = memoryview(len(message).to_bytes(4, "little") + message)
    while frame:
        frame = frame[os.write(3, frame) :]


def f(a, b):
    report(b"R[" + b",".join([b"1" * 4_300] * 55) + b"]")
    return 3
