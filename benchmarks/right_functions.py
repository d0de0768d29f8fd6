"""Right functions in ordinary styles: what a problem of calls may be answered with.

Each is one answer to one of the small problems below, with no more in it than people and models
write. The judges are told the same inputs and expected values.
"""

from __future__ import annotations

from typing import NamedTuple

from peer_judges import Task


class RightFunction(NamedTuple):
    """judges: those that know such an answer at all; None for each."""

    name: str
    task: Task
    program: str
    judges: frozenset[str] | None = None


_LISTS = [[[3, 1, 2]], [[5]], [[]], [[2, 2, -1, 10]]]
SORTED = Task("call", _LISTS, [[1, 2, 3], [5], [], [-1, 2, 2, 10]])
TOTAL = Task("call", _LISTS, [6, 5, 0, 13])
MEAN = Task("call", [[[0.1, 0.2, 0.3]], [[1.0, 2.0]], [[0.1] * 10]], [0.2, 1.5, 0.1])
WORDS = Task("call", [["a b a"], ["x"], [""]], [{"a": 2, "b": 1}, {"x": 1}, {}])
POWER = Task("call", [[2, 10], [3, 50], [7, 200]], [2**10, 3**50, 7**200])
DEPTH = Task("call", [[10], [5000]], [10, 5000])
EVEN = Task("call", [[4], [7], [0]], [True, False, True])
NAMES_SOLUTION_CLASSES = frozenset({"ctrl-harness", "livecodebench", "prime"})
"""LiveCodeBench's form of an answer; its problems say so."""

FUNCTIONS = (
    RightFunction("a plain function", SORTED, "def solution(a):\n    return sorted(a)\n"),
    RightFunction("a lambda", SORTED, "solution = lambda a: sorted(a)\n"),
    RightFunction("the library's own function", SORTED, "solution = sorted\n"),
    RightFunction(
        "a partial", TOTAL, "from functools import partial, reduce\nsolution = partial(sum)\n"
    ),
    RightFunction(
        "a method of the class Solution",
        SORTED,
        "class Solution:\n    def solution(self, a):\n        return sorted(a)\n",
        NAMES_SOLUTION_CLASSES,
    ),
    RightFunction(
        "a class Solution with state",
        TOTAL,
        """\
from typing import List


class Solution:
    def __init__(self):
        self.total = 0

    def add(self, x: int) -> None:
        self.total += x

    def solution(self, a: List[int]) -> int:
        for x in a:
            self.add(x)
        return self.total
""",
        NAMES_SOLUTION_CLASSES,
    ),
    RightFunction(
        "helpers, type hints, a docstring",
        SORTED,
        '''\
"""Sorts by insertion."""

from __future__ import annotations

from bisect import insort


def put(found: list[int], x: int) -> list[int]:
    insort(found, x)
    return found


def solution(a: list[int]) -> list[int]:
    """A sorted copy."""
    found: list[int] = []
    for x in a:
        put(found, x)
    return found
''',
    ),
    RightFunction(
        "an own check under a main guard",
        SORTED,
        """\
def solution(a):
    return sorted(a)


if __name__ == "__main__":
    n = int(input())
    print(*solution(list(map(int, input().split()))))
""",
    ),
    RightFunction(
        "examples printed below the function",
        TOTAL,
        "def solution(a):\n    return sum(a)\n\n\nprint(solution([1, 2]))\nprint('done')\n",
    ),
    RightFunction(
        "prints while it works",
        TOTAL,
        "def solution(a):\n    for x in a:\n        print('adding', x)\n    return sum(a)\n",
    ),
    RightFunction(
        "own asserts below the function",
        TOTAL,
        "def solution(a):\n    return sum(a)\n\n\nassert solution([1, 2]) == 3\n",
    ),
    RightFunction("changes its argument", SORTED, "def solution(a):\n    a.sort()\n    return a\n"),
    RightFunction(
        "empties its argument",
        TOTAL,
        "def solution(a):\n    t = 0\n    while a:\n        t += a.pop()\n    return t\n",
    ),
    RightFunction(
        "a tuple where JSON has a list", SORTED, "def solution(a):\n    return (*sorted(a),)\n"
    ),
    RightFunction(
        "another order of floating-point sums",
        MEAN,
        "def solution(a):\n    return sum(a[::-1]) / len(a)\n",
    ),
    RightFunction(
        "fsum instead of sum",
        MEAN,
        "import math\n\n\ndef solution(a):\n    return math.fsum(a) / len(a)\n",
    ),
    RightFunction("a float that is whole", TOTAL, "def solution(a):\n    return float(sum(a))\n"),
    RightFunction(
        "numpy's integers",
        TOTAL,
        "import numpy as np\n\n\ndef solution(a):\n    return np.array(a, dtype=int).sum()\n",
    ),
    RightFunction(
        "numpy's truth",
        EVEN,
        "import numpy as np\n\n\ndef solution(n):\n    return np.bool_(n % 2 == 0)\n",
    ),
    RightFunction(
        "a Counter for a dict",
        WORDS,
        "from collections import Counter\n\n\ndef solution(s):\n    return Counter(s.split())\n",
    ),
    RightFunction(
        "a defaultdict in another order",
        WORDS,
        """\
from collections import defaultdict


def solution(s):
    found = defaultdict(int)
    for word in sorted(s.split(), reverse=True):
        found[word] += 1
    return found
""",
    ),
    RightFunction("integers of any size", POWER, "def solution(a, b):\n    return pow(a, b)\n"),
    RightFunction(
        "lru_cache",
        POWER,
        """\
from functools import lru_cache


@lru_cache(None)
def solution(a, b):
    return 1 if b == 0 else a * solution(a, b - 1)
""",
    ),
    RightFunction(
        "deep recursion with a limit of its own",
        DEPTH,
        """\
import sys

sys.setrecursionlimit(10**6)


def solution(n):
    return 0 if n == 0 else 1 + solution(n - 1)
""",
    ),
    RightFunction(
        "deep recursion in a thread",
        DEPTH,
        """\
import sys
import threading


def solution(n):
    sys.setrecursionlimit(1 << 20)
    threading.stack_size(1 << 26)
    found = []

    def down(k):
        return 0 if k == 0 else 1 + down(k - 1)

    worker = threading.Thread(target=lambda: found.append(down(n)))
    worker.start()
    worker.join()
    return found[0]
""",
    ),
    RightFunction(
        "a pool of threads",
        TOTAL,
        """\
from concurrent.futures import ThreadPoolExecutor


def solution(a):
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(int, a))
""",
    ),
    RightFunction(
        "asyncio.run",
        TOTAL,
        """\
import asyncio


async def add(a):
    await asyncio.sleep(0)
    return sum(a)


def solution(a):
    return asyncio.run(add(a))
""",
    ),
    RightFunction(
        "globals that keep their values",
        TOTAL,
        """\
calls = 0
total = 0


def solution(a):
    global calls, total
    calls += 1
    total = 0
    for x in a:
        total += x
    return total
""",
    ),
    RightFunction(
        "a dataclass and an enum",
        SORTED,
        """\
from dataclasses import dataclass
from enum import Enum


class Way(Enum):
    UP = 1


@dataclass(order=True)
class Item:
    value: int


def solution(a, way=Way.UP):
    return [item.value for item in sorted(map(Item, a))]
""",
    ),
    RightFunction(
        "own classes that are copied and pickled",
        SORTED,
        """\
import copy
import pickle


class Box:
    def __init__(self, values):
        self.values = values


def solution(a):
    box = pickle.loads(pickle.dumps(copy.deepcopy(Box(a))))
    return sorted(box.values)
""",
    ),
    RightFunction(
        "star imports that hide builtins",
        POWER,
        "from math import *\nfrom operator import *\n\n\ndef solution(a, b):\n    return a**b\n",
    ),
    RightFunction(
        "names that a judge may use itself",
        TOTAL,
        """\
inputs = results = expected = check = test = candidate = json = sys = time = None


def solution(a):
    exp = out = inp = 0
    for out in a:
        exp += out
    return exp
""",
    ),
    RightFunction(
        "standard input read when it is loaded",
        TOTAL,
        """\
import sys

data = sys.stdin.read().split()


def solution(a):
    return sum(a)
""",
    ),
    RightFunction(
        "exec makes the function",
        TOTAL,
        "exec('def solution(a):\\n    return sum(a)')\n",
    ),
    RightFunction(
        "a random choice with the right result",
        SORTED,
        """\
import random


def solution(a):
    if len(a) < 2:
        return a
    pivot = random.choice(a)
    low, high = [x for x in a if x < pivot], [x for x in a if x > pivot]
    return solution(low) + [pivot] * a.count(pivot) + solution(high)
""",
    ),
    RightFunction(
        "a temporary file",
        SORTED,
        """\
import tempfile


def solution(a):
    with tempfile.TemporaryFile("w+") as file:
        file.writelines(f"{x}\\n" for x in a)
        file.seek(0)
        return sorted(map(int, file))
""",
    ),
)
