import shelve

with shelve.open("store") as store:
    store["k"] = [1, 2]
with shelve.open("store") as store:
    print(dict(store))
