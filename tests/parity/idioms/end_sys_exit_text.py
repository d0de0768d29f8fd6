import sys

print("answer")
sys.exit("a reason")
