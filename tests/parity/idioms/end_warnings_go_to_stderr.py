import warnings

warnings.warn("take care", stacklevel=1)
print("fine")
