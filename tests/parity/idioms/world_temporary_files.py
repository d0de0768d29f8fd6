import os
import tempfile

with tempfile.NamedTemporaryFile("w+") as file:
    file.write("x")
    file.seek(0)
    print(file.read(), os.path.dirname(file.name) == tempfile.gettempdir())
print(os.path.exists(file.name))
