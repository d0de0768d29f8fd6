print("10%", end="\r")
print("99%", end="\r")
print("done\r\n", end="")
