import sys

calls = []


def trace(frame, event, argument):
    calls.append(event)
    return None


def function():
    pass


sys.settrace(trace)
function()
print(calls)
