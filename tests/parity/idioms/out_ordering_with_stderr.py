import sys

print("out 1")
print("err 1", file=sys.stderr)
sys.stderr.write("err 2")
print("out 2")
