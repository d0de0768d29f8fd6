from multiprocessing.pool import ThreadPool

with ThreadPool(2) as pool:
    print(pool.map(len, ["a", "bb"]))
