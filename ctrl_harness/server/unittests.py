"""unittest classes in test code that pytest or `unittest.main` would run."""

from __future__ import annotations

import ast

from ctrl_harness.problems.test_code import MAX_CHARS
from ctrl_harness.syntax import parse_program

_RUNNER = """

def _ctrl_harness_run(names):
    import unittest
    suite = unittest.TestSuite()
    for case in [c for c in names if isinstance(c, type) and issubclass(c, unittest.TestCase)]:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    result = unittest.TestResult()
    suite.run(result)
    told = [trace for _, trace in result.failures + result.errors]
    assert result.testsRun > len(result.skipped) and result.wasSuccessful(), "\\n".join(told)

_ctrl_harness_run(list(globals().values()))
"""


def with_runner(tests: str) -> str:
    """The test code, ending with a run of its unittest classes whose outcome is asserted.

    A last `unittest.main()` gives way to it: that would end the interpreter. Other test code stays
    as it is.
    """
    if "unittest" not in tests or len(tests) > MAX_CHARS:
        return tests
    try:
        body = parse_program(tests).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return tests  # whoever reads it says what is wrong with it
    if not any(isinstance(statement, ast.ClassDef) and _is_case(statement) for statement in body):
        return tests
    last = body[-1]
    if _calls_main(last):
        tests = "\n".join(tests.split("\n")[: last.lineno - 1])
    elif not isinstance(last, (ast.ClassDef, ast.FunctionDef, ast.Assign)):
        return tests
    return tests + _RUNNER


def _is_case(node: ast.ClassDef) -> bool:
    return any(
        isinstance(base, (ast.Name, ast.Attribute))
        and (base.id if isinstance(base, ast.Name) else base.attr) == "TestCase"
        for base in node.bases
    )


def _calls_main(statement: ast.stmt) -> bool:
    """`unittest.main(…)`, under a main guard or not."""
    match statement:
        case ast.If(body=[only], orelse=[]):
            return _calls_main(only)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="main", value=ast.Name("unittest")))):
            return True
    return False
