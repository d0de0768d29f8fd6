import select
import sys

ready, _, _ = select.select([sys.stdin], [], [], 1)
print(len(ready), sys.stdin.readline().strip())
