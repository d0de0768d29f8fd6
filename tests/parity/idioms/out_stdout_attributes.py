import sys

print(sys.stdout.fileno(), sys.stdout.isatty(), sys.stdout.writable(), sys.stdout.readable())
print(sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering, sys.stdout.newlines)
print(sys.stdout.name, sys.stdout.mode, sys.stdout is sys.__stdout__, sys.stdout.closed)
print(sys.stderr.errors, sys.stderr.line_buffering, sys.stderr.name, sys.stderr.fileno())
