if True:
    print("a")
    print("""b
c""".encode())
