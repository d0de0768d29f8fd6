h, w = map(int, input().split())
grid = ["#" * (w + 2), *(f"#{input()}#" for _ in range(h)), "#" * (w + 2)]
print(*grid, sep="\n")
