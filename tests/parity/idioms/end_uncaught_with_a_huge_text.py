print("before")
raise ValueError("x" * 200_000)
