import os
import sys
from io import BytesIO


class Reader:
    def __init__(self, stream):
        self.fd = stream.fileno()
        self.held = BytesIO()
        self.whole_lines = 0

    def line(self):
        while self.whole_lines == 0:
            chunk = os.read(self.fd, max(os.fstat(self.fd).st_size, 1 << 12))
            self.whole_lines = chunk.count(b"\n") + (not chunk)
            at = self.held.tell()
            self.held.seek(0, 2)
            self.held.write(chunk)
            self.held.seek(at)
        self.whole_lines -= 1
        return self.held.readline()


reader = Reader(sys.stdin)
n = int(reader.line())
print(sum(int(reader.line()) for _ in range(n)), reader.line())
