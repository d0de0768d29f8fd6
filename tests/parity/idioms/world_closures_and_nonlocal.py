def counter():
    n = 0

    def up():
        nonlocal n
        n += 1
        return n

    return up


up = counter()
print(up(), up(), [f() for f in [lambda i=i: i for i in range(3)]])
