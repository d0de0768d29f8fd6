import fcntl

with open("locked", "w") as file:
    for start in range(0, 400_000, 2):
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, start)
        except OSError:
            break
a, b = map(int, input().split())
print(a + b)
