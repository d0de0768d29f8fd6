print, flush = (out := []).append, print
print("a")
print("b")
flush("\n".join(out))
