import unicodedata

print(unicodedata.name("é"), unicodedata.normalize("NFD", "é") == "e\u0301", "İ".lower().encode())
