import sys


class Scanner:
    def __init__(self, stream=sys.stdin):
        self._stream, self._words = stream, []

    def has_next(self):
        while not self._words:
            line = self._stream.readline()
            if not line:
                return False
            self._words = line.split()[::-1]
        return True

    def next_int(self):
        if not self.has_next():
            raise EOFError
        return int(self._words.pop())


scanner = Scanner()
found = []
while scanner.has_next():
    found.append(scanner.next_int())
print(found)
