import warnings

warnings.showwarning = lambda message, kind, *_: print(kind.__name__, message)
warnings.warn("take care", stacklevel=1)
warnings.warn("old", DeprecationWarning, stacklevel=1)
