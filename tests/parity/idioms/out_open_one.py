import sys

sys.stdout = open(1, "w")
print("opened anew")
