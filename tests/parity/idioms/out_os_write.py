import os

os.write(1, b"straight to the descriptor\n")
