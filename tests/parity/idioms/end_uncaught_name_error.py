print("before")
print(undefined_name)  # noqa: F821
