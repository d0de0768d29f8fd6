import sys

real = sys.stdout


class Odd:
    write = staticmethod(real.write)
    flush = staticmethod(real.flush)

    @property
    def closed(self):
        raise ValueError("not known")


sys.stdout = Odd()
print("odd")
