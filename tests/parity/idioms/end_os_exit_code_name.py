import os
import sys

sys.exit(os.EX_DATAERR)
