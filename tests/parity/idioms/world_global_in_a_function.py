best = 0


def visit(n):
    global best, created
    best = max(best, n)
    created = True


visit(5)
print(best, created)
