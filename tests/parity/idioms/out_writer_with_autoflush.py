import sys


class Unbuffered:
    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        self.stream.write(text)
        self.stream.flush()

    def writelines(self, lines):
        self.stream.writelines(lines)
        self.stream.flush()

    def __getattr__(self, name):
        return getattr(self.stream, name)


sys.stdout = Unbuffered(sys.stdout)
print("at once")
sys.stdout.writelines(["x\n", "y\n"])
