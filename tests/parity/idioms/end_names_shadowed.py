list = [1, 2]
max = 3
sum = lambda values: 99
str = "text"
input = id = type = None
print(list, max, sum(list), str)
