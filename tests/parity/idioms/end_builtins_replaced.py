import builtins

real = print
for name in ("print", "len", "isinstance", "type", "open", "getattr", "hasattr", "exec", "range"):
    setattr(builtins, name, None)
real("answer")
