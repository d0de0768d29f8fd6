import sys


def profile(frame, event, argument):
    raise ValueError


print("before", flush=True)
sys.setprofile(profile)
len("x")
