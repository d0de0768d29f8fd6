def f(a, b):
    return 1 << 2_000_000
