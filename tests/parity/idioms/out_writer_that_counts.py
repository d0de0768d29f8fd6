import sys


class Counter:
    def __init__(self, stream):
        self.stream, self.lines = stream, 0

    def write(self, text):
        self.lines += text.count("\n")
        self.stream.write(text)

    def flush(self):
        self.stream.flush()


sys.stdout = counter = Counter(sys.stdout)
print("a\nb")
sys.stdout = counter.stream
print(counter.lines)
