import numpy as np

np.random.seed(0)
print(np.random.randint(0, 100, 5), np.random.default_rng(1).integers(0, 10, 5))
