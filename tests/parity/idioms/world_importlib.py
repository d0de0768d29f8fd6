import importlib
import types

json = importlib.import_module("json")
print(json.loads("[1]"), isinstance(importlib.reload(json), types.ModuleType))
print(__import__("math").factorial(5))
