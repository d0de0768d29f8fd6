import contextlib


@contextlib.contextmanager
def resource():
    print("opened")
    try:
        yield "value"
    finally:
        print("closed")


manager = resource()
print(manager.__enter__())
