rows = [[n] * 10 for n in range(50_000)]
print(len(rows))
