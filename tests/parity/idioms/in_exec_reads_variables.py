names = "n m k".split()
exec(",".join(names) + "=map(int,input().split())")
print(n * m + k)  # noqa: F821
