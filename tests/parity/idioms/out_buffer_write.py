import sys

sys.stdout.buffer.write(b"raw\n")
print(sys.stdout.buffer.write("é\n".encode()))
