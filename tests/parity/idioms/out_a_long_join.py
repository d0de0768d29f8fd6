print(*range(50_000), sep=",")
