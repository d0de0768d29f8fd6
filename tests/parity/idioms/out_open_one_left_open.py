out = open(1, "w", closefd=False)
out.write("flushed when it is let go\n")
