a = input()
b = input()
print(repr(a), repr(b))
