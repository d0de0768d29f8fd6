import contextvars

level = contextvars.ContextVar("level", default=0)
context = contextvars.copy_context()
context.run(level.set, 5)
print(level.get(), context[level])
