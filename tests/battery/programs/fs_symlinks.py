import os

try:
    for number in range(10_000):
        os.symlink("x" * 4000, f"link{number}")
except OSError:
    pass
print(3)
