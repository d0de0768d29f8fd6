import os
import sys
from io import BytesIO, IOBase


class Writer(IOBase):
    def __init__(self, stream):
        self.fd = stream.fileno()
        self.held = BytesIO()
        self.write = lambda text: self.held.write(text.encode("ascii"))

    def flush(self):
        os.write(self.fd, self.held.getvalue())
        self.held.seek(0)
        self.held.truncate(0)


sys.stdout = Writer(sys.stdout)
print("first")
sys.stdout.write("second\n")
