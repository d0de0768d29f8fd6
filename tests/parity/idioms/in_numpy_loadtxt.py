import sys

import numpy as np

table = np.loadtxt(sys.stdin)
print(table.shape, table.sum())
