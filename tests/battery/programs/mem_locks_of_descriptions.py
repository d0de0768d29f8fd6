import fcntl
import struct

made = 0
with open("locked", "w") as file:
    try:
        for start in range(0, 400_000, 2):
            lock = struct.pack("hhqqi", fcntl.F_WRLCK, 0, start, 1, 0)
            fcntl.fcntl(file, 37, lock)  # F_OFD_SETLK
            made += 1
    except OSError:
        pass
print(3 if made == 0 else made)
