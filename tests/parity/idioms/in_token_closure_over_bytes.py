import sys

_data, _at = sys.stdin.buffer.read().split(), -1


def word():
    global _at
    _at += 1
    return _data[_at]


n = int(word())
print(n, [word().decode() for _ in range(n)])
