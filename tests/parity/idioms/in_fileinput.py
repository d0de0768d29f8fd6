import fileinput

total = 0
for line in fileinput.input():
    total += len(line.split())
print(total, fileinput.lineno())
