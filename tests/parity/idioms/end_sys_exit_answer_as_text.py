import sys

sys.exit(print("printed by the argument"))
