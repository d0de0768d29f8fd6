text = input()
print(ascii(text), text.encode("utf-8"))
