import sys
import threading

worker = threading.Thread(target=sys.exit, args=(3,))
worker.start()
worker.join()
print("the program goes on")
