print(repr(help))
help(len)
