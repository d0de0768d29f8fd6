import locale

print(locale.setlocale(locale.LC_ALL, ""))
print(locale.getpreferredencoding(), f"{1234567.5:n}", locale.localeconv()["decimal_point"])
