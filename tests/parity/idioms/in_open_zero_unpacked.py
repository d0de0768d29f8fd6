n, (*row,) = (list(map(int, line.split())) for line in open(0))
print(n[0] * sum(row))
