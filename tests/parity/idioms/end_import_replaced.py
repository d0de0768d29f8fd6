import builtins


def no_import(name, *rest):
    raise ImportError(name)


builtins.__import__ = no_import
print("answer")
