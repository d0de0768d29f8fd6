import sys

out = open("note.txt", "w+")
out.write("x")
print("written")
sys.exit(0)
