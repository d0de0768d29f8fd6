import json
import linecache
import traceback

json.dumps = traceback.format_exception = linecache.getline = None
print("before")
raise ValueError
