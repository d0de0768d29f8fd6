import re

print(re.sub(r"(?P<a>\w)(\w)", r"\2\g<a>", "abcd"), re.split(r"\s*,\s*", "a , b,c"))
print(re.fullmatch(r"[^\W\d_]+", "čeština"), re.compile("x", re.I).findall("xX"))
