space = {}
exec("def f(n):\n    return n + 1", space)
print(space["f"](1), eval("a * 2", {"a": 4}), eval(compile("[i for i in 'ab']", "<x>", "eval")))
exec("fresh = 7")
print(fresh, locals() is globals(), "fresh" in vars())  # noqa: F821
