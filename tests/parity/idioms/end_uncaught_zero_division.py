print("before", end="")
1 // 0
