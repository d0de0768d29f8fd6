import os
import sys

print("seen")
sys.stdout.flush()
saved = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
print("unseen")
sys.stdout.flush()
os.dup2(saved, 1)
print("seen again")
