import ctypes

libc = ctypes.CDLL(None, use_errno=True)
made, timer = 0, ctypes.c_void_p()
while made < 100_000 and libc.timer_create(1, None, ctypes.byref(timer)) == 0:
    made += 1
print(3 if made < 10_000 else made)
