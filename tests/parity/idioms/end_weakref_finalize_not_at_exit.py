import weakref


class Value:
    pass


kept = Value()
weakref.finalize(kept, print, "finalized").atexit = False
print("main")
