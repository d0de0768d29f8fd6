print("before")
input()
print("after")
