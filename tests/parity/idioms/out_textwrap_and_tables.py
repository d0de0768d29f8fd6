import textwrap

print(textwrap.fill("the quick brown fox jumps over the lazy dog", 18))
for row in zip("abc", (1, 22, 333)):
    print("{:<4}|{:>5}".format(*row))
