import os

print("printed first, written last")
os.write(1, b"written at once\n")
