import sys

for word in sys.stdin.read().split():
    try:
        print(int(word))
    except ValueError as error:
        print(error)
