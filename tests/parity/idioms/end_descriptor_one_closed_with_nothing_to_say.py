import os

os.write(1, b"seen\n")
os.close(1)
