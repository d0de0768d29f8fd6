a, b = (int(input()) for _ in range(2))
print(a * b, (a**3).bit_length())
