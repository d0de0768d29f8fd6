import sys
from itertools import islice, takewhile

print(list(islice(sys.stdin, 2)))
print(list(takewhile(lambda line: line != "end\n", sys.stdin)), sys.stdin.read())
