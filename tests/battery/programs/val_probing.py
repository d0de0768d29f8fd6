class Own(int):
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def f(a, b):
    places, place = [], 1
    for _ in range(30_000):
        places.append(Own(place))
        place = (5 * place + 1) % (1 << 18)
    return set(places)
