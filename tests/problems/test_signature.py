"""Starter code whose function no test in JSON can be about, and such as one can."""

from __future__ import annotations

import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.problems.signature import (
    is_an_object,
    refuse_what_tests_cannot_hold,
    signature_of,
)

DOC = '''\
class Solution:
    def f(self, a):
        """
        :type a: %s
        :rtype: %s
        """
'''
METHOD = "class Solution:\n    def f(self, %s) -> %s:\n        "
NODE = """\
# Definition for singly-linked list.
# class ListNode:
#     def __init__(self, val=0, next=None):
#         self.val = val
"""


@pytest.mark.parametrize(
    "starter",
    [
        "",
        "def f(dice):\n\t",
        "def f(a, *rest): # all of them: a and the rest\n    pass",
        "def f(x: 'a list of numbers', y=None) -> 'their sum':\n",
        "def f(a: typing.List[int], b: 'Optional[int]' = (1, 2)[0]) -> dict[str, list[int]]:\n",
        "def f(kind: Literal['ListNode', 'b']) -> list[int] | None:\n",
        METHOD % ("a: List[int], b: Optional[List[List[str]]] = None", "List[Tuple[int, str]]"),
        DOC % ("List[List[int]]", "bool"),
        "# Complete the function\n# def f(a):\ndef f(a):\n    ",
        "import math\nclass Shape:\n    sides = 0\n\ndef f(a):\n    return Shape().sides",
    ],
)
def test_functions_of_plain_values_can_be_tested(starter: str) -> None:
    refuse_what_tests_cannot_hold(starter, "f")


@pytest.mark.parametrize(
    ("starter", "why"),
    [
        (METHOD % ("nums: List[int]", "None"), "f returns nothing"),
        (METHOD % ("nums: List[int]", "'None'"), "f returns nothing"),
        (DOC % ("List[int]", "void Do not return anything, modify a in-place"), "returns nothing"),
        (METHOD % ("head: ListNode, k: int", "int"), "ListNode"),
        (METHOD % ("head: 'Optional[ListNode]'", "bool"), "ListNode"),
        (METHOD % ("n: int", "Optional[TreeNode]"), "TreeNode"),
        (METHOD % ("a: List[Interval]", "int"), "Interval"),
        (DOC % ("TreeNode", "List[int]"), "TreeNode"),
        (NODE + "class Solution:\n    def f(self, l1, l2):\n        ", "ListNode"),
        ("class Node(object):\n    def __init__(self):\n        pass\n\ndef f(head):\n", "Node"),
        ("def f(act: Callable[[int], int]) -> int:\n    ", "Callable"),
        ("def f(n: int) -> Iterator[int]:\n    ", "Iterator"),
        ("# The x API is already defined for you.\nclass Solution:\n    def f(self):\n", "site"),
        ("# def knows(a, b):\nclass Solution(object):\n    def f(self, n):\n", "site"),
        ("class LRU:\n    def __init__(self, n: int):\n        \n    def f(self, k: int) -> int:\n",
         "a method of LRU"),
    ],
)  # fmt: skip
def test_others_are_refused_with_the_reason(starter: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        refuse_what_tests_cannot_hold(starter, "f")


@pytest.mark.parametrize(
    ("starter", "takes"),
    [
        ("def f():\n", [0]),
        ("def f(a, b=(1, 2), c={'x': 1}):\n", [1, 2, 3]),
        ("def f(a, *b):\n", [1, 2, 3, 4]),
        (METHOD % ("a: int, b: int", "int"), [2]),
        ("def f(a, (b, c)):\n", None),
        ("def g(a):\n", None),
    ],
)
def test_how_many_arguments_a_function_takes(starter: str, takes: list[int] | None) -> None:
    signature = signature_of(starter, "f")
    found = None if signature is None else [n for n in range(5) if signature.takes(n)]
    assert found == takes


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ({"val": 1, "next": {"val": 2, "next": None}}, True),
        ([[{"data": 1, "left": None, "right": None}]], True),
        ("<__main__.Node object at 0x7f0a>", True),
        ({"next": 1, "left": 2}, False),
        ({"left": 1, "right": 2}, False),
        ([1, "a", None, {"value": [1]}], False),
        ("a < b at 0x10>", False),
    ],
)
def test_values_that_stand_for_objects(value: object, is_one: bool) -> None:
    assert is_an_object(value) is is_one
