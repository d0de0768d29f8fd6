import sys


class Value:
    def __del__(self):
        print("del")


kept = Value()
sys.exit(2)
