import sys

print("before")
sys.modules.clear()
