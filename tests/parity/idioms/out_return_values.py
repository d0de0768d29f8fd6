import sys

print(print("x"), sys.stdout.write(""), sys.stdout.flush())
