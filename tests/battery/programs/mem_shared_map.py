import mmap

kept, size = [], 64 << 20
while size >= 1 << 20:
    try:
        block = mmap.mmap(-1, size)
    except (OSError, MemoryError):
        size //= 2
        continue
    kept.append(block)
    for at in range(0, size, 4096):
        block[at] = 1
        if at % (1 << 20) == 0:
            block.madvise(mmap.MADV_DONTNEED)  # no longer resident in this process, and yet kept
    block.madvise(mmap.MADV_DONTNEED)
print(3)
