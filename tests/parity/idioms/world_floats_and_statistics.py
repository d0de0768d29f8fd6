import cmath
import math
import statistics

print(math.fsum([0.1] * 10), math.hypot(3, 4), math.isclose(0.3, 0.1 + 0.2), cmath.sqrt(-4))
print(statistics.median([3, 1, 2]), statistics.pstdev([1, 2, 3, 4]), (0.5).hex(), float.fromhex("0x1p3"))
