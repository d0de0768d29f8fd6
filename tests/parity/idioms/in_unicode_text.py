word = input()
print(word[::-1], len(word), word.encode("utf-8"))
