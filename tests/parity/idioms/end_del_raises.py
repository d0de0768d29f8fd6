class Value:
    def __del__(self):
        print("del")
        raise ValueError


kept = Value()
