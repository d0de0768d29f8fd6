import sys

print("before")
sys.setrecursionlimit(60)
