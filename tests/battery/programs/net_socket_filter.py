import ctypes
import socket

pair = socket.socketpair()
code = (ctypes.c_uint64 * 1)(0x0000000000000006)
program = (4096).to_bytes(8, "little") + ctypes.addressof(code).to_bytes(8, "little")
refused = 0
for option in (26, 50, 7, 8, 32, 33):  # filters, and the sizes of buffers
    try:
        pair[0].setsockopt(socket.SOL_SOCKET, option, program)
    except PermissionError:
        refused += 1
print(3 if refused == 6 else refused)
