"""What counts as an assertion in Python test code, and whether test code can come to one."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence, Set

_NAME_OF_ASSERTION = re.compile(r"assert(?:_|[A-Z]|\Z)")
_EXITS = frozenset({"exit", "quit", "SystemExit", "_exit"})
_RUNNERS = frozenset(
    {"main", "TextTestRunner", "TestSuite", "defaultTestLoader", "TestLoader", "makeSuite"}
)
_BY_NAME = frozenset({"globals", "locals", "vars", "dir", "getattr", "eval", "exec", "inspect"})
_CATCHES_FAILURES = frozenset({"AssertionError", "Exception", "BaseException"})
_ASKING = frozenset(
    {"isinstance", "issubclass", "type", "str", "repr", "len", "bool", "hasattr", "getattr"}
) | {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
"""Names of Python's by which test code asks for what it caught."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


def always_holds(test: ast.expr) -> bool:
    """Whether an assert of it cannot fail: `assert True`, `assert (f(), "text")`."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return bool(items) and not any(isinstance(item, ast.Starred) for item in items)
        case ast.JoinedStr(values=values):
            return any(isinstance(v, ast.Constant) and v.value for v in values)
    return False


def always_fails(statement: ast.stmt, failing: Set[str] = frozenset()) -> bool:
    """A statement by which test code says that a test has failed, and that nothing else may mean.

    `assert False`, `raise AssertionError` (the class or an instance), a call of `fail`, and an exit
    with a status that is not 0. failing: the code's own functions that come to nothing else.
    """
    match statement:
        case ast.Assert(test=ast.Constant(value=value)):
            return not value
        case ast.Raise(exc=ast.expr() as raised) if _last_name(raised) == "AssertionError":
            return True
        case ast.Raise(exc=ast.Call() as call):
            return fails_when_called(call)
        case ast.Expr(value=ast.Call() as call):
            return fails_when_called(call, failing)
    return False


def fails_when_called(node: ast.expr, failing: Set[str] = frozenset()) -> bool:
    """Whether an expression is a call that says so: `self.fail(…)`, `sys.exit(1)`."""
    if not isinstance(node, ast.Call):
        return False
    name = _last_name(node.func)
    if name == "fail" or name in failing:
        return True
    return name in _EXITS and any(
        isinstance(a, ast.Constant) and a.value not in (0, None, False) for a in node.args
    )


def failing_end(node: ast.expr, failing: Set[str] = frozenset()) -> bool:
    """Whether an expression may end in such a call, which is its last part: `ok or fail(…)`."""
    while isinstance(node, ast.BoolOp):
        node = node.values[-1]
    return fails_when_called(node, failing)


def leaves(statement: ast.stmt, failing: bool = True) -> bool:
    """Whether a statement ends the tests: `sys.exit(…)`, `raise SystemExit`.

    failing: also with a status that is known not to be 0.
    """
    if not failing and always_fails(statement):
        return False
    match statement:
        case ast.Raise(exc=raised):
            return _last_name(raised) == "SystemExit"
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name in _EXITS
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name))):
            return module in ("sys", "os", "builtins") and name in _EXITS
    return False


def raises_exception(statement: ast.stmt) -> bool:
    """`raise Exception`, which says so too in some places; in others a program is to catch it."""
    return isinstance(statement, ast.Raise) and _last_name(statement.exc) == "Exception"


def ends_in_failure(body: Sequence[ast.stmt]) -> bool:
    """Whether a block says, as it ends, that a test has failed."""
    return any(always_fails(statement) or raises_exception(statement) for statement in body)


def is_assertion_call(node: ast.AST, own_functions: frozenset[str] = frozenset()) -> bool:
    """A call of somebody's assertion: `self.assertEqual(…)`, `numpy.testing.assert_allclose(…)`.

    own_functions: those that the test code defines, whose own assertions count instead.
    """
    if not isinstance(node, ast.Call):
        return False
    name = _last_name(node.func)
    return name not in own_functions and bool(_NAME_OF_ASSERTION.match(name))


def is_raises_block(node: ast.expr) -> bool:
    """`with` of this asserts that its body raises: `self.assertRaises(…)`, `pytest.raises(…)`."""
    return isinstance(node, ast.Call) and (
        is_assertion_call(node) or _last_name(node.func) in ("raises", "warns")
    )


def expects_error(statement: ast.Try) -> bool:
    """Whether a `try` says that its body must raise: going on after the call is a failure."""
    return ends_in_failure(statement.body) or ends_in_failure(statement.orelse)


def catches_failures(handler: ast.ExceptHandler) -> bool:
    """Whether an `except` would also take a failed assertion."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _last_name(kind) in _CATCHES_FAILURES for kind in kinds)


def asserts_in_turn(handler: ast.ExceptHandler) -> bool:
    """Whether an `except` that also takes failed assertions asserts something else, or raises.

    What it says of nothing but the failure itself holds of each one; the status of an exit is no
    word of failure unless it is one; and a failure that goes on is for who catches it next.
    """
    if not catches_failures(handler) or _goes_on_raising(handler):
        return False
    said = _names_of_failure(handler)
    for node in _nodes_of(handler.body):
        match node:
            case ast.Raise():
                if not leaves(node):
                    return True
            case ast.Assert(test=test):
                if not _names_within([test]) <= said and not always_holds(test):
                    return True
            case ast.Call(args=arguments, keywords=keywords) if is_assertion_call(node):
                values = [keyword.value for keyword in keywords]
                if not _names_within([*arguments, *values]) <= said:
                    return True
    return False


def _goes_on_raising(handler: ast.ExceptHandler) -> bool:
    """Whether it ends, whatever happens, by raising what it caught."""
    match handler.body[-1]:
        case ast.Raise(exc=None):
            pass
        case ast.Raise(exc=ast.Name(id=name), cause=None) if name == handler.name:
            pass
        case _:
            return False
    jumps = (ast.Return, ast.Break, ast.Continue)
    return not any(isinstance(node, jumps) for node in _nodes_of(handler.body))


def _names_of_failure(handler: ast.ExceptHandler) -> set[str]:
    """Names that say nothing but what was caught, with those that stand for what is read of it."""
    names = {*_ASKING, *([handler.name] if handler.name else ())}
    for node in handler.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if _names_within([value]) <= names:
                    names.add(name)
    return names


def _names_within(nodes: Sequence[ast.AST]) -> set[str]:
    return {node.id for node in _nodes_of(nodes) if isinstance(node, ast.Name)}


def _nodes_of(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node)


def own_functions(module: ast.Module) -> frozenset[str]:
    """The names of the functions and classes that test code defines, at whatever depth."""
    return frozenset(n.name for n in ast.walk(module) if isinstance(n, _DEFINITIONS))


def is_main_guard(test: ast.expr) -> bool:
    """`__name__ == "__main__"`, in either order."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            sides = (left, right)
            return any(isinstance(s, ast.Name) and s.id == "__name__" for s in sides) and any(
                isinstance(s, ast.Constant) and s.value == "__main__" for s in sides
            )
    return False


# -- what test code can come to


def reached_assertions(module: ast.Module) -> bool:
    """Whether running the code may come to an assertion.

    One that stands in a function which nothing calls, or in a unittest class that nothing runs, is
    not come to. Where names are looked up in ways that cannot be followed, everything may be.
    """
    return any(_assertions_in(module, _reached(module)))


def unreached_functions(module: ast.Module) -> list[str]:
    """The functions and classes that hold assertions which running the code does not come to."""
    reached = _reached(module)
    return [
        node.name
        for node in module.body
        if isinstance(node, _DEFINITIONS)
        and node.name not in reached
        and any(_assertions_in(node, own_functions(module)))
    ]


def _reached(module: ast.Module) -> frozenset[str]:
    """Names of the code's own functions and classes that what runs refers to."""
    defined: dict[str, list[ast.AST]] = {}
    for node in ast.walk(module):
        if isinstance(node, _DEFINITIONS):
            defined.setdefault(node.name, []).append(node)
    classes = {n for n, nodes in defined.items() if isinstance(nodes[0], ast.ClassDef)}
    reached: set[str] = set()
    waiting = _names_used(module)
    while waiting:
        name = waiting.pop()
        if name in _BY_NAME:
            return frozenset(defined)
        found = ({name} & defined.keys()) | (classes if name in _RUNNERS else set())
        found -= reached
        reached |= found
        for each in found:
            for node in defined[each]:
                waiting |= _names_used(node, inside=True)
    return frozenset(reached)


def _names_used(node: ast.AST, inside: bool = False) -> set[str]:
    """The names in what runs of a node; inside: the node is a definition whose body runs.

    A method runs with its class; a decorated definition is taken as used by its decorator.
    """
    names: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, _DEFINITIONS) and current is not node:
            names |= {current.name} if current.decorator_list else set()
            if isinstance(node, ast.ClassDef):
                names.add(current.name)
            waiting += current.decorator_list
            continue
        if isinstance(current, _DEFINITIONS) and not inside:
            continue
        if isinstance(current, ast.Name):
            names.add(current.id)
        elif isinstance(current, ast.Attribute):
            names.add(current.attr)
        elif isinstance(current, ast.alias):
            names.add(current.name.split(".")[0])
        waiting += ast.iter_child_nodes(current)
    return names


def _assertions_in(node: ast.AST, reached: frozenset[str]) -> Iterator[ast.AST]:
    """Assertions in what runs of a node, the bodies of `reached` definitions among it."""
    waiting: list[ast.AST] = [node]
    own = own_functions(node) if isinstance(node, ast.Module) else frozenset()
    while waiting:
        current = waiting.pop()
        is_inner = current is not node
        if is_inner and isinstance(current, _DEFINITIONS) and current.name not in reached:
            continue
        if isinstance(current, ast.Assert):
            if not always_holds(current.test):
                yield current
        elif (
            (isinstance(current, ast.stmt) and ends_in_failure([current]))
            or is_assertion_call(current, own)
            or (isinstance(current, ast.withitem) and is_raises_block(current.context_expr))
            or (isinstance(current, ast.BoolOp) and failing_end(current))
            or (
                isinstance(current, ast.IfExp)
                and any(map(fails_when_called, (current.body, current.orelse)))
            )
        ):
            yield current
        waiting += ast.iter_child_nodes(current)


def _last_name(node: ast.expr | None) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _last_name(function)
    return ""
