for _ in [0] * int(input()):
    n, text = input().split(maxsplit=1)
    print(text * int(n))
