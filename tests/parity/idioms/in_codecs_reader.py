import codecs
import sys

reader = codecs.getreader("utf-8")(sys.stdin.buffer)
print([line.strip() for line in reader])
