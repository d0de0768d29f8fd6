for n in range(100_000):
    print(n, n * n % 1000)
