import sys


class Stop:
    def __lt__(self, other):
        print("compared")
        sys.exit(0)


sorted([Stop(), Stop()])
