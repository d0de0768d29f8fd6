import numpy as np

n, *rest = open(0).read().split()
grid = np.array(rest, np.int64).reshape(int(n), -1)
print(grid.T)
print(grid.max(axis=0))
