import threading

for n in range(3):
    worker = threading.Thread(target=print, args=("worker", n))
    worker.start()
    worker.join()
