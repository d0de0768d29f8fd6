import atexit


@atexit.register
def goodbye():
    print("goodbye")


print("hello")
