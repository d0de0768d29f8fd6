import json
import sys

json.dump({"é": [1, 2.0, None, True]}, sys.stdout, ensure_ascii=False, indent=1)
