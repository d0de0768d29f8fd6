print(exit, quit)
print(repr(copyright)[:9], callable(credits), callable(license))
