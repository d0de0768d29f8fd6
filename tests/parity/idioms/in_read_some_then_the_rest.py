import sys

head = input()
few = sys.stdin.read(3)
print(head, few, sys.stdin.read().split())
