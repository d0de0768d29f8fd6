import sys

put = sys.stdout.write
for word in ("a", "b"):
    put(word)
put("\n")
