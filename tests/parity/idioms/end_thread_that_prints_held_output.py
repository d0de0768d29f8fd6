import io
import sys
import threading
import time

real = sys.stdout
sys.stdout = io.StringIO()


def work():
    time.sleep(0.1)
    real.write(sys.stdout.getvalue())


threading.Thread(target=work).start()
print("held")
