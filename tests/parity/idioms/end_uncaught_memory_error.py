print("before")
raise MemoryError
