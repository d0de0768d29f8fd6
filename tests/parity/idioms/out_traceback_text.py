import traceback

try:
    {}["missing"]
except KeyError as error:
    print("".join(traceback.format_exception_only(error)), end="")
