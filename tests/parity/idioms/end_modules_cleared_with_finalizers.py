import sys


class Value:
    def __del__(self):
        print("del")


kept = Value()
sys.modules.clear()
