n, *values = open(0).read().split()
print(n, "-".join(values))
