out = []
for n in range(5):
    out.append(f"{n}: {n * n:>4}")
print("\n".join(out))
