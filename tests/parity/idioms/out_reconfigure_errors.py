import sys

sys.stdout.reconfigure(encoding="ascii", errors="backslashreplace")
print("é\u20ac")
