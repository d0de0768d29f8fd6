n = int(input())
xs, ys = zip(*(map(int, input().split()) for _ in range(n)))
print(max(xs), min(ys))
