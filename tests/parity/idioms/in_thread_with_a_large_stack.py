import sys
import threading


def main():
    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)

    print(depth(int(input())))


sys.setrecursionlimit(1 << 20)
threading.stack_size(1 << 26)
worker = threading.Thread(target=main)
worker.start()
worker.join()
