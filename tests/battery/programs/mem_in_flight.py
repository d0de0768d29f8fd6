import os
import socket

carrier = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
carrier[0].setblocking(False)
sent = 0
try:
    for number in range(2000):
        held = os.open(f"kept{number}", os.O_CREAT | os.O_RDWR)
        os.unlink(f"kept{number}")
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, held.to_bytes(4, "little"))]
        carrier[number % 2].sendmsg([b"x"], rights)
        os.close(held)
        sent += 1
except PermissionError:
    pass
print(3 if sent == 0 else sent)
