import os
import sys

for name in [n for n in globals() if not n.startswith("__")]:
    del globals()[name]
del name
print(sorted(n for n in globals() if not n.startswith("__")))
