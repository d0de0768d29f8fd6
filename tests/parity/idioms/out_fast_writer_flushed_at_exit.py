import atexit
import os
import sys
from io import StringIO


class Held(StringIO):
    def drain(self):
        os.write(1, self.getvalue().encode())


sys.stdout = Held()
atexit.register(sys.stdout.drain)
print("held until the end")
