import threading
import time


def work():
    time.sleep(60)
    print("never")


threading.Thread(target=work, daemon=True).start()
print("main")
