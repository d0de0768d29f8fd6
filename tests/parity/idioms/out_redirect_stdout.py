import contextlib
import io

with contextlib.redirect_stdout(io.StringIO()) as held:
    print("inside")
print("outside:", held.getvalue().strip())
