a = [1]
a.append(a)
print(a)
d = {}
d["me"] = d
print(d)
