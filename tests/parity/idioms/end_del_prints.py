class Value:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name)


first = Value("global")
Value("temporary")
print("end of the program")
