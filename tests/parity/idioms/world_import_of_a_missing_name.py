try:
    from math import no_such_name
except ImportError as error:
    print(error.name, str(error).split("(")[0])
