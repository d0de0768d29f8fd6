import sys


class Last:
    def __del__(self):
        sys.exit(3)


Last()
print("still here")
