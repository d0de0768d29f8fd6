error = SystemExit(1)
error.code = 0
print("its code counts")
raise error
