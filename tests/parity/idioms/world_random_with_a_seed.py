import random

random.seed(42)
print(random.random(), random.randint(1, 100), random.sample(range(50), 5))
items = list(range(10))
random.shuffle(items)
print(items, random.choice("abc"), random.gauss(0, 1), random.Random("text").getrandbits(64))
