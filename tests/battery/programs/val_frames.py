import os


def report(message):
    frame = memoryview(len(message).to_bytes(4, "little") + message)
    while frame:
        frame = frame[os.write(3, frame) :]


message = b'R{"s":[' + b",".join(b'{"t":[{"t":[{"t":[%d]}]}]}' % i for i in range(200_000)) + b"]}"
report(b"L")
while True:
    report(message)
