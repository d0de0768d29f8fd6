import sys

print("before")
sys.stdout.flush()
sys.stdout = open("x.txt", "w")
sys.stdout.close()
