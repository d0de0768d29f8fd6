with open("helper.py", "w") as file:
    file.write("def double(n):\n    return 2 * n\n")

import sys

sys.path.insert(0, ".")
import helper

print(helper.double(21), helper.__name__)
