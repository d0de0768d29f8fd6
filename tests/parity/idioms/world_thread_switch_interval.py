import sys

print(sys.getswitchinterval(), sys.gettrace(), sys.getprofile(), sys.getrefcount(object()) < 3)
