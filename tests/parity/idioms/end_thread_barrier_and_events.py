import threading

barrier, order = threading.Barrier(3), []


def work(n):
    barrier.wait()
    with lock:
        order.append(n)


lock = threading.Lock()
workers = [threading.Thread(target=work, args=(n,)) for n in range(3)]
[w.start() for w in workers]
[w.join() for w in workers]
print(sorted(order))
