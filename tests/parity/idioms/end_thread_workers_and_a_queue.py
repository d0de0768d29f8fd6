import queue
import threading

jobs, results = queue.Queue(), []


def work():
    while True:
        n = jobs.get()
        results.append(n * n)
        jobs.task_done()


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for n in range(20):
    jobs.put(n)
jobs.join()
print(sum(results))
