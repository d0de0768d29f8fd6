with open(__file__, encoding="utf-8") as source:
    print(len(source.read().splitlines()), "lines")  # this one and one more
