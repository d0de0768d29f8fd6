import os


def refuse(*anything, **more):
    raise RuntimeError("replaced")


os.write = os.close = os.read = os._exit = os.fstat = refuse
print("answer")
