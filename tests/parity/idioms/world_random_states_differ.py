import random

print(len({random.random() for _ in range(100)}), len({random.SystemRandom().random(), 2.0}))
