class Mine(Exception):
    pass


print("before")
raise Mine("reason")
