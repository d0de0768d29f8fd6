lines = [*open(0)]
print(len(lines), lines[-1].strip())
