class Value:
    def __del__(self):
        print("del")


class Holder:
    value = Value()


print("main")
