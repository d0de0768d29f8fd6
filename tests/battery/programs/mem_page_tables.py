import mmap

kept, touched = [], 0
try:
    while touched < 200_000:
        block = mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        kept.append(block)
        for at in range(0, 64 << 20, 2 << 20):
            block[at] = 1
            touched += 1
except (OSError, MemoryError):
    pass
print(3)
