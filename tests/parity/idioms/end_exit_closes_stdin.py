try:
    exit(0)
except SystemExit:
    import sys

    print(sys.stdin.closed)
