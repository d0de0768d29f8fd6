def attempt(f):
    try:
        f()
    except (ValueError, KeyError) as error:
        return f"{type(error).__name__}({error})"
    else:
        return "fine"
    finally:
        print("tried", end=" ")


print(attempt(lambda: int("z")), attempt(lambda: {}[1]), attempt(int))
try:
    raise ExceptionGroup("g", [ValueError(1), OSError(2)])
except* ValueError as group:
    print(group.exceptions)
except* OSError:
    print("os")
