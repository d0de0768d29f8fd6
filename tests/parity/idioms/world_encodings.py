import sys

print(sys.getdefaultencoding(), sys.getfilesystemencoding(), sys.stdin.encoding)
open("é.txt", "w").write("é")
print(open("é.txt", "rb").read())
