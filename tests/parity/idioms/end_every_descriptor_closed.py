import os

print("seen", flush=True)
os.closerange(0, 100)
