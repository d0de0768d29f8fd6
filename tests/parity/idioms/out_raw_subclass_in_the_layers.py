import io
import os
import sys


class Raw(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        return os.write(1, bytes(data).replace(b"a", b"A"))


sys.stdout = io.TextIOWrapper(io.BufferedWriter(Raw()), encoding="ascii")
print("banana")
