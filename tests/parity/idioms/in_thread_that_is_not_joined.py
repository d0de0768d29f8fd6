import sys
import threading

sys.setrecursionlimit(10**6)
threading.stack_size(1 << 27)


def main():
    n = int(sys.stdin.readline())
    print(sum(int(sys.stdin.readline()) for _ in range(n)))


threading.Thread(target=main).start()
