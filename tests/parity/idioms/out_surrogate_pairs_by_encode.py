import sys

text = "\ud83c\udf88"
sys.stdout.buffer.write(text.encode("utf-16", "surrogatepass").decode("utf-16").encode())
print()
