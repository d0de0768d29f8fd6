import sys


class Broken:
    def write(self, text):
        raise OSError

    flush = write


sys.stderr = Broken()
print("fine")
raise ValueError
