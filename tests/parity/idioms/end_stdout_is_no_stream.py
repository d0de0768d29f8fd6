import sys

print("before")
sys.stdout.flush()
sys.stdout = 42
