import decimal
import threading

decimal.getcontext().prec = 4
worker = threading.Thread(target=lambda: print(decimal.Decimal(1) / 3))
worker.start()
worker.join()
print(decimal.Decimal(1) / 3)
