import numpy as np

print(np.array([1.0]) / np.array([0.0]))
with np.errstate(all="raise"):
    try:
        np.log(np.array([0.0]))
    except FloatingPointError as error:
        print(error)
