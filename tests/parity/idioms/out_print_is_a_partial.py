from functools import partial

print = partial(print, sep="-", end=";\n")
print(1, 2)
print("a", "b", end="\n")
