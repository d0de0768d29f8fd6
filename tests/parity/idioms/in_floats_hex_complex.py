a, b, c = input().split()
print(float(a) + 1, int(b, 16), complex(c) ** 2)
