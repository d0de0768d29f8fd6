class Odd(BaseException):
    pass


print("before")
raise Odd
