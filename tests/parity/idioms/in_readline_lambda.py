import sys

input = lambda: sys.stdin.readline().rstrip("\r\n")

word, other = input(), input()
print(word + other, len(word))
