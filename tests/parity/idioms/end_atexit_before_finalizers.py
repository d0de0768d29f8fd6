import atexit


class Value:
    def __del__(self):
        print("finalizer")


kept = Value()
atexit.register(print, "exit handler")
print("main")
