def render(n):
    return "#" * n


class Value:
    def __del__(self):
        print(render(3), len(NAMES))


NAMES = ["a", "b"]
kept = Value()
