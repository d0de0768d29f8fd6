import sys

import numpy as np

values = np.fromstring(sys.stdin.read(), dtype=np.int64, sep=" ")
print(values[::-1].cumsum().tolist())
