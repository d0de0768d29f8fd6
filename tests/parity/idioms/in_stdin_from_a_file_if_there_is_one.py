import os
import sys

if os.path.exists("input.txt"):
    sys.stdin = open("input.txt")
print(input() * 2)
