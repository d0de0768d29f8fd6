import inspect
import sys

print(sys._getframe().f_lineno, inspect.currentframe().f_code.co_name)
