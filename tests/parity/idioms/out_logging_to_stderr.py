import logging

logging.warning("seen by nobody")
print("printed")
