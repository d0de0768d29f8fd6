import sys

events = []
sys.setprofile(lambda frame, event, argument: events.append(event))
len("x")
print(len(events) > 1)
