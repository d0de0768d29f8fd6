import sys

print("answer")
sys.exit(3)
