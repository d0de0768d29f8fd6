first, *middle, last = input().split()
print(first, middle, last)
