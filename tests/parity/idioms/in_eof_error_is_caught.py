try:
    input()
except EOFError as error:
    print("nothing:", error)
