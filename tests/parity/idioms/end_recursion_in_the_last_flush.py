import sys


class Deep:
    def write(self, text):
        pass

    def flush(self):
        self.flush()


sys.stdout = Deep()
print("x")
