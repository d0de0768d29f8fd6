import weakref


class Value:
    pass


value = Value()
reference = weakref.ref(value, lambda _: print("gone"))
print("main")
del value
print(reference())
