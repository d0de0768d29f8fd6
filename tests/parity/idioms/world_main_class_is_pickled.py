import copy
import pickle
from dataclasses import dataclass


@dataclass(order=True)
class Point:
    x: int
    y: int = 0


copied = pickle.loads(pickle.dumps([Point(1, 2)]))
print(copied, copied[0] == copy.deepcopy(Point(1, 2)), Point.__module__)
