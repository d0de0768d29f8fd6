import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
logging.info("told")
logging.debug("not told")
logging.warning("number %d", 3)
