print("before")
next(iter(()))
