import sys

sys.stdout = open(1, "w", buffering=1 << 16, encoding="utf-8", newline="\n")
for n in range(3):
    print("line", n)
