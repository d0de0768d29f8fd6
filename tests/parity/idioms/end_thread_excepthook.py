import threading

threading.excepthook = lambda args: print("hook", args.exc_type.__name__)
worker = threading.Thread(target=lambda: 1 / 0)
worker.start()
worker.join()
