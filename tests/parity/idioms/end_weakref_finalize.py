import weakref


class Value:
    pass


kept = Value()
weakref.finalize(kept, print, "finalized")
print("main")
