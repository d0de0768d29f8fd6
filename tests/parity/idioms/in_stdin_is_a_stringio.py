import io
import sys

sys.stdin = io.StringIO(sys.stdin.read().replace(";", "\n"))
print(input(), input())
