import json

NAMES = {"a": 1}


def rows():
    try:
        yield
    finally:
        print(json.dumps(NAMES))


kept = rows()
next(kept)
