import threading


class Value:
    def __del__(self):
        print("del")


local = threading.local()
local.value = Value()
print("main")
