class Value:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(self.name, "other" in globals(), globals().get("other") is None)


_value = Value("_value")
value = Value("value")
other = 1
