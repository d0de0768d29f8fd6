import sys

a, b = "ab" * 2, "abab"
print(sys.intern(a) is sys.intern(b), () is (), 256 is 256, None is None)
