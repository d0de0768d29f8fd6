class Value:
    def __del__(self):
        print("del")


def function(value=Value()):
    return value


function()
