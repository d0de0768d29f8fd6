import logging
import logging.handlers
import sys

handler = logging.handlers.MemoryHandler(100, target=logging.StreamHandler(sys.stdout))
logging.getLogger().addHandler(handler)
logging.getLogger().warning("flushed by logging's own exit handler")
print("first")
