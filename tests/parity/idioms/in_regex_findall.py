import re
import sys

print(sum(map(int, re.findall(r"-?\d+", sys.stdin.read()))))
