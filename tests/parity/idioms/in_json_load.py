import json
import sys

data = json.load(sys.stdin)
print(data["rows"][1]["n"], json.dumps(data, sort_keys=True))
