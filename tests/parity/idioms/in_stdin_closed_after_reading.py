import sys

text = sys.stdin.read()
sys.stdin.close()
print(text.strip(), sys.stdin.closed)
