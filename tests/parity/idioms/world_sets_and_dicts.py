d = dict.fromkeys("hello")
d["a"] = d.pop("h")
print(d, d | {"z": 1}, {3, 1, 2} ^ {1, 9}, frozenset([2, 1]), sorted({1.0, 1, True}))
