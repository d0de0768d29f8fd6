import atexit
import threading
import time


def work():
    time.sleep(0.1)
    print("worker")


atexit.register(print, "handler")
threading.Thread(target=work).start()
