import sys

with open(sys.stdin.fileno(), encoding="utf-8") as stream:
    print([word.title() for word in stream.read().split()])
