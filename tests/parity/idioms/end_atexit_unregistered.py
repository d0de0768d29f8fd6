import atexit


def never():
    print("never")


atexit.register(never)
atexit.unregister(never)
print("main")
