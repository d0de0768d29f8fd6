import sys
import types

sys.modules["traceback"] = sys.modules["linecache"] = types.ModuleType("empty")
print("before")
raise ValueError
