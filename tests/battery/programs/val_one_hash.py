M = (1 << 61) - 1


class Own(int):
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def f(a, b):
    return {Own(k * M) for k in range(8_000)}
