import os
import select

reader, writer = os.pipe()
os.write(writer, b"x")
poll = select.poll()
poll.register(reader, select.POLLIN)
print(len(poll.poll(1000)), os.read(reader, 9))
