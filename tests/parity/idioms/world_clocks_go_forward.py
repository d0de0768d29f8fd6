import time
import timeit

start, cpu = time.perf_counter(), time.process_time()
time.sleep(0.01)
print(time.perf_counter() > start, time.process_time() >= cpu, time.time() > 1e9)
print(timeit.timeit("1 + 1", number=10) > 0)
