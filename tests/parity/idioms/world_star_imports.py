from collections import *  # noqa: F403
from itertools import *  # noqa: F403
from math import *  # noqa: F403

print(deque([1]), gcd(4, 6), list(accumulate([1, 2])))  # noqa: F405
