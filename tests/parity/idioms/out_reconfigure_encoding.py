import sys

sys.stdout.reconfigure(encoding="latin-1")
print("é")
