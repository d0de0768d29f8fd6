import numpy as np

print(np.arange(6).reshape(2, 3))
print(np.array([0.5, 1e10]), np.float64(0.1), np.int64(3), np.bool_(True))
print(repr(np.array(["a"])), np.zeros(2000))
