import sys

print(sys.stdin.fileno(), sys.stdin.isatty(), sys.stdin.readable(), sys.stdin.name)
print(sys.stdin.mode, sys.stdin.encoding, sys.stdin.errors, sys.stdin.line_buffering)
