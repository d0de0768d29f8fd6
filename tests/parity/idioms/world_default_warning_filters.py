import warnings

print([(action, kind.__name__) for action, _, kind, _, _ in warnings.filters])
