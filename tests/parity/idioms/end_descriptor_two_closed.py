import os

os.close(2)
print("fine")
