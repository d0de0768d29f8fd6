exec(compile("1 + 1", "<typed>", "exec"))
exec(compile("40 + 2", "<typed>", "single"))
