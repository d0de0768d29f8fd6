import string


class Value:
    def __del__(self):
        print("del")


string.kept = Value()
