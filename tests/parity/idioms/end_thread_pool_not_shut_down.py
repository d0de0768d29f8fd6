import time
from concurrent.futures import ThreadPoolExecutor


def work():
    time.sleep(0.1)
    print("finished at the end")


ThreadPoolExecutor(2).submit(work)
print("main")
