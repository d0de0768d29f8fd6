print("y" * (1 << 20))
raise RuntimeError
