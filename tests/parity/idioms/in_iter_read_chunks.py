import sys
from functools import partial

print([*iter(partial(sys.stdin.read, 4), "")])
