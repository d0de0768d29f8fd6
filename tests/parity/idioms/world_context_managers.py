from contextlib import ExitStack, contextmanager, nullcontext


@contextmanager
def tag(name):
    print(f"<{name}>")
    yield name
    print(f"</{name}>")


with ExitStack() as stack:
    print([stack.enter_context(tag(n)) for n in "ab"])
with nullcontext(3) as n, tag("c"):
    print(n)
