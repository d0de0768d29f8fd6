import resource
import sys

soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))
sys.setrecursionlimit(20_000)


def down(n):
    return n and down(n - 1)


print(down(15_000), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0)
