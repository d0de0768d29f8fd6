print([1, "a", None, (2,), {3: {4}}, b"\xff", 1j, range(3), True, ..., "it's"])
