print("a ", "b\t", end=" \n \n")
