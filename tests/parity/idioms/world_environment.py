import os

print(os.environ.get("HOME") == os.path.expanduser("~"), os.environ.get("LANG"), os.sep)
os.environ["X"] = "é"
print(os.environ["X"], os.getenv("NOT_SET"))
