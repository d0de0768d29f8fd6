class Value:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(self.name, end=" ")


zebra, apple, _hidden, mango = map(Value, "zahm")
