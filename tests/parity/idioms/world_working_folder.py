import os

print(os.listdir("."))
with open("a.txt", "w") as file:
    print(file.write("one\ntwo\n"))
print(open("a.txt").readlines(), os.path.getsize("a.txt"))
