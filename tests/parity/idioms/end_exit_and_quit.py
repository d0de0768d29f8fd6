print("answer")
if input() == "quit":
    quit()
exit(7)
