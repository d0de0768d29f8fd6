import os
import sys

print(len(sys.argv), os.path.basename(sys.argv[0]).endswith(".py"))
