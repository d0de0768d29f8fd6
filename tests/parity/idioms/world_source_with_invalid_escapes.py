print("\d", "a\
b")
