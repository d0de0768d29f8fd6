import sys

stack = []
for line in sys.stdin:
    match line.split():
        case ["push", value]:
            stack.append(int(value))
        case ["pop"] if stack:
            print(stack.pop())
        case []:
            print("blank")
        case other:
            print("unknown", other)
