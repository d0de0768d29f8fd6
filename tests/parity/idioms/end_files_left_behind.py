import os

os.makedirs("a/b/c")
for n in range(50):
    with open(f"a/b/c/{n}.txt", "w") as file:
        file.write("x" * n)
os.chmod("a/b", 0)
print("answer")
