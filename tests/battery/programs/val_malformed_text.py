import os


def report(message):
    frame = memoryview(len(message).to_bytes(4, "little") + message)
    while frame:
        frame = frame[os.write(3, frame) :]


def f(a, b):
    report(b'R{"f":"' + b"a" * 12_000_000 + b'"}')
    return 3
