class Value:
    def __del__(self):
        print("del")


def fail():
    value = Value()
    raise ValueError(value)


fail()
