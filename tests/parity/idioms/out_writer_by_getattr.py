import sys


class Proxy:
    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)


sys.stdout = Proxy(sys.stdout)
print("through a proxy", sys.stdout.fileno())
