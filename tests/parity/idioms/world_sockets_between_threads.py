import socket
import threading

left, right = socket.socketpair()
worker = threading.Thread(target=lambda: right.sendall(right.recv(10).upper()))
worker.start()
left.sendall(b"ping")
print(left.recv(10))
worker.join()
