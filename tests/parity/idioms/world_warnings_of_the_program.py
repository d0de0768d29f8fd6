import warnings

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    warnings.warn("x", DeprecationWarning, stacklevel=1)
print(len(seen), seen[0].category.__name__, warnings.filters[0][0])
