import sys

try:
    sys.stdin = open("in.txt")
    sys.stdout = open("out.txt", "w")
except OSError:
    pass
print(int(input()) ** 2)
