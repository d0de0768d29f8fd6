import threading


def down(n):
    global deepest
    deepest = n
    down(n + 1)


def work():
    try:
        down(1)
    except RecursionError:
        print(deepest)


worker = threading.Thread(target=work)
worker.start()
worker.join()
