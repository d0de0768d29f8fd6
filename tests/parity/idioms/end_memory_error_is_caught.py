try:
    held = bytearray(1 << 60)
except MemoryError:
    print("too much")
