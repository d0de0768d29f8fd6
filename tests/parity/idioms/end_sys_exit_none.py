import sys

print("answer")
sys.exit(None)
