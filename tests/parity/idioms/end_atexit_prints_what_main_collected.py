import atexit

lines = []
atexit.register(lambda: print("\n".join(lines)))
for n in range(int(input())):
    lines.append(f"case {n}")
