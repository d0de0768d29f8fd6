print(open(0, "rb").read())
