import atexit
import threading


def late():
    try:
        worker = threading.Thread(target=print, args=("late thread",))
        worker.start()
        worker.join()
    except RuntimeError as error:
        print(error)


atexit.register(late)
