import sys

print = lambda *values: sys.stdout.write(" ".join(map(str, values)) + "\n")
print(1, [2], "three")
