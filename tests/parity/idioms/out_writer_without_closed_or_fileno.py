import sys

real = sys.stdout


class Upper:
    def write(self, text):
        real.write(text.upper())

    def flush(self):
        real.flush()


sys.stdout = Upper()
print("shout")
