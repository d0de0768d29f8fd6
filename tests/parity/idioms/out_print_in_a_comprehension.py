[print(n, end=" ") for n in range(5)]
print(set(map(print, "ab")))
