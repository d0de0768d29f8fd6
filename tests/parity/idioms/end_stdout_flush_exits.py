import sys


class Odd:
    def write(self, text):
        pass

    def flush(self):
        sys.exit(0)


sys.stdout = Odd()
print("x")
