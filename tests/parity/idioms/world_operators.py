import operator


class Vector:
    def __init__(self, *xs):
        self.xs = xs

    def __add__(self, other):
        return Vector(*map(operator.add, self.xs, other.xs))

    def __matmul__(self, other):
        return sum(map(operator.mul, self.xs, other.xs))

    def __repr__(self):
        return f"Vector{self.xs}"


print(Vector(1, 2) + Vector(3, 4), Vector(1, 2) @ Vector(3, 4), operator.itemgetter(1)("ab"))
