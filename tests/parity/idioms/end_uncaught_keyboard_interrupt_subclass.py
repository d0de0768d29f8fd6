class Stop(KeyboardInterrupt):
    pass


print("before")
raise Stop
