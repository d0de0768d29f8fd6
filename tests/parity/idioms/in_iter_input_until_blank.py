for line in iter(input, ""):
    print(line, len(line))
print("rest", input())
