import threading

worker = threading.Thread(target=lambda: 1 / 0)
worker.start()
worker.join()
print("status 0 all the same")
