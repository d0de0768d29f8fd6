import threading
import time


def work():
    time.sleep(0.1)
    print("worker")


threading.Thread(target=work).start()
raise ValueError
