import sys

import numpy as np

print(np.genfromtxt(sys.stdin.buffer, delimiter=",", dtype=int).tolist())
