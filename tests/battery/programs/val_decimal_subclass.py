from decimal import Decimal

M = (1 << 61) - 1


class Own(int):
    __hash__ = object.__hash__

    def __eq__(self, other):
        return self is other


def f(a, b):
    return {Own(((1 << 800_000) // M) * M + 5), Decimal(5)}
