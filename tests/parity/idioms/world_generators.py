def running():
    total = 0
    while True:
        total += (yield total) or 0


def outer():
    result = yield from [1, 2]
    return result


g = running()
next(g)
print(g.send(3), g.send(4), list(outer()))
g.close()
