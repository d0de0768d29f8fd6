import os

data = memoryview(b"x" * (1 << 20))
while data:
    data = data[os.write(1, data) :]
