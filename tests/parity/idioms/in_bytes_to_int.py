import sys

print([int(word) for word in sys.stdin.buffer.readline().split()], int(b" 7 "))
