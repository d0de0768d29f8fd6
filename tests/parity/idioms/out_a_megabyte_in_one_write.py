print("0123456789abcdef" * (1 << 16))
