import warnings

warnings.simplefilter("error")
print("before")
warnings.warn("take care", stacklevel=1)
