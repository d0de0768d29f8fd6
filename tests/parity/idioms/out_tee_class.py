import io
import sys


class Tee:
    def __init__(self, *streams):
        self.streams = streams

    def write(self, text):
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self):
        for stream in self.streams:
            stream.flush()


copy = io.StringIO()
sys.stdout = Tee(sys.stdout, copy)
print("twice")
print(repr(copy.getvalue()))
