import socket

kept, sent, block = [], 0, bytes(100_000)
try:
    while True:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        kept.append(pair)
        for end in pair:
            end.setblocking(False)
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
            except PermissionError:
                pass
            try:
                while True:
                    sent += end.send(block)
            except BlockingIOError:
                pass
except OSError:
    pass
print(3 if sent < 128 << 20 else sent)
