import os
import sys

print(os.path.isdir(sys.path[0] or "."), sys.path[0] == os.path.dirname(os.path.abspath(__file__)))
