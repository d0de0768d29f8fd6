import os

os.write(1, b"draft\n")
os.lseek(1, 0, os.SEEK_SET)
os.ftruncate(1, 0)
os.write(1, b"final\n")
