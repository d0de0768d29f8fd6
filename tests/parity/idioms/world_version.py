import platform
import sys

print(sys.version_info >= (3, 10), sys.implementation.name, platform.python_implementation())
print(sys.byteorder, sys.maxsize, sys.platform)
