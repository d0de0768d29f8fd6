"""What runs beside the untrusted program: loads it, calls it, serialises what it returns.

This file goes into cells and sandboxes and imports nothing but the standard library, lazily where a
run would pay for it. It never learns an
expected value. The program shares its process and may forge any of its messages; that earns
nothing, because a message can only say how a run failed or what value it returned, and the
comparison happens outside.

Messages on the report descriptor: 4 bytes little-endian length, one kind byte, UTF-8 payload.

    I  the tests import what is not there (payload: the module), so the program does not start
    S  prelude done, the program starts; before it nothing is the program's fault
    C  the program does not compile       (payload: error text)
    L  the program is loaded              (call and script jobs)
    R  a call returned                    (payload: JSON, see `encode`)
    E  an exception ended the run or call (payload: error text)
    M  the same, for a MemoryError
    O  a call printed more than its limit
    A  a call failed for want of what earlier calls may have used up, and is to be made again in a
       process of its own; never said of a process's first call
    D  a script ran to its end            (payload: the nonce, assertions held, failed)
    X  a stdio program ended by itself    (payload: its peak resident KiB)
"""

from __future__ import annotations

import builtins
import os
import sys

# functions take their builtins from here, so those that a program replaces are not ours
__builtins__ = vars(builtins).copy()  # type: ignore[assignment]

TYPE_CHECKING = False  # importing typing would cost every run some milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType
    from typing import Any

_type, _issubclass, _isinstance, _len, _repr = type, issubclass, isinstance, len, repr
_lseek, _ftruncate, _read, _write = os.lseek, os.ftruncate, os.read, os.write
_MAX_DEPTH = 200
VALUE_BYTES = 8
"""What a value counts for at least, however short its JSON is: nested lists that are all brackets
take 20 times their JSON in memory."""
_MAX_PLAIN = 1000
_FINGERPRINTED = 64
"""How many items of a huge list are marshalled at once."""
_USUAL = 2**63
_FILE_BYTES = 64 << 20
_FILE_SLACK = 64 << 10
_LEAST_TO_COMPILE = 64 << 20
"""Address space of the interpreter alone. Under less nothing compiles; with more a MemoryError is
the parser's word for what is nested too deeply."""
_ERROR_CHARS = 4_000
_MESSAGE_CHARS = 3_000
_HEADING = "Traceback (most recent call last):\n"


class Unserialisable(Exception):
    """A result that has no plain form: too deep, or cyclic."""


class TooLarge(Exception):
    """A result of more values than are worth sending."""


class _Encoder:
    """Turns a result into JSON-ready plain data, by the real type and never by the value's word."""

    def __init__(self, max_bytes: int) -> None:
        self._values_left = max_bytes // VALUE_BYTES

    def encode(self, value: Any, depth: int = 0) -> Any:
        self._values_left -= 1
        if self._values_left < 0:
            raise TooLarge
        if depth > _MAX_DEPTH:
            raise Unserialisable("the result is nested more than %d deep" % _MAX_DEPTH)
        kind = _type(value)
        if value is None or kind is bool:
            return value
        if _issubclass(kind, str):
            return str.__str__(value) if kind is not str else value
        if _issubclass(kind, int):
            plain = int.__int__(value)
            return plain if -(2**63) <= plain < 2**63 else {"i": hex(plain)}
        if _issubclass(kind, float):
            real = float.__float__(value)
            if real != real or real in (float("inf"), float("-inf")):
                return {"f": float.__repr__(real)}
            return real
        if _issubclass(kind, list):
            return self._items(list.__iter__(value), depth)
        if _issubclass(kind, tuple):
            return {"t": self._items(tuple.__iter__(value), depth)}
        if _issubclass(kind, dict):
            pairs = [(key, dict.__getitem__(value, key)) for key in dict.keys(value)]
            return {"d": [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in pairs]}
        if _issubclass(kind, frozenset):
            return {"fs": self._items(frozenset.__iter__(value), depth)}
        if _issubclass(kind, set):
            return {"s": self._items(set.__iter__(value), depth)}
        if _issubclass(kind, (bytes, bytearray)):
            return {"b": bytes(value).hex()}
        if _issubclass(kind, complex):
            return {"c": [repr(value.real), repr(value.imag)]}
        return self._library_type(value, kind, depth)

    def _items(self, iterator: Iterator[Any], depth: int) -> list[Any]:
        return [self.encode(item, depth + 1) for item in iterator]

    def _library_type(self, value: Any, kind: type, depth: int) -> Any:
        modules = sys.modules
        decimal, fractions, numpy = (modules.get(m) for m in ("decimal", "fractions", "numpy"))
        if decimal is not None and _issubclass(kind, decimal.Decimal):
            return {"D": decimal.Decimal.__str__(value)}
        if fractions is not None and _issubclass(kind, fractions.Fraction):
            return {"F": [hex(value.numerator), hex(value.denominator)]}
        if numpy is not None and hasattr(numpy, "ndarray"):
            if _issubclass(kind, numpy.generic):
                return self.encode(value.item(), depth + 1)
            if _issubclass(kind, numpy.ndarray):
                return {"nd": self.encode(value.tolist(), depth + 1)}
        if kind is _KEYS:  # which equals a set
            return {"s": self._items(iter(value), depth)}
        if hasattr(kind, "__next__") or _issubclass(kind, _VIEWS) or _is_deque(kind):
            return {"it": self._items(iter(value), depth)}
        return {"o": str(getattr(kind, "__name__", "object"))[:200]}


def _plain_json(value: Any) -> bytes | None:
    """JSON of the most usual results, without the encoder: a number, a word, a short list of usual
    integers or of such lists. None for all others.

    It takes a third of the time, and a process that never calls the encoder copies none of the
    pages which that writes to.
    """
    kind = _type(value)
    if kind is list:
        return list.__repr__(value).encode("ascii") if _holds_usual_integers(value) else None
    if kind is int:
        return int.__repr__(value).encode("ascii") if -_USUAL <= value < _USUAL else None
    if kind is bool:
        return b"true" if value else b"false"
    if kind is str and _len(value) <= _MAX_PLAIN and value.isascii() and value.isprintable():
        return None if '"' in value or "\\" in value else b'"%b"' % value.encode("ascii")
    return b"null" if value is None else None


def _holds_usual_integers(values: list[Any]) -> bool:
    """Those, or lists of those, and not too many to look at each."""
    if _len(values) > _MAX_PLAIN:
        return False
    kinds = set(map(_type, values))
    if kinds == {list}:
        if sum(map(_len, values)) > _MAX_PLAIN:
            return False
        values = [each for row in values for each in row]
        kinds = set(map(_type, values))
    if kinds != {int}:
        return False
    return bool(min(values) >= -_USUAL and max(values) < _USUAL)


_KEYS: type = _type({}.keys())
_VIEWS: tuple[type, ...] = (range, _type({}.values()), _type({}.items()))


def _is_deque(kind: type) -> bool:
    collections = sys.modules.get("collections")
    return collections is not None and _issubclass(kind, collections.deque)


def _holds_more(value: object, most: int) -> bool:
    """Whether a list of lists, or of tuples, surely holds more values: to be known at once."""
    kind = _type(value)
    if kind is not list and kind is not tuple:
        return False
    inner = set(map(_type, value))  # type: ignore[call-overload]
    count: int = _len(value)  # type: ignore[arg-type]
    if inner and inner <= {list, tuple}:
        count += sum(map(_len, value))  # type: ignore[call-overload]
    return count > most


def _fingerprint(value: object) -> str:
    """sha256 of the result: two huge results can still be told equal (Mbpp/255 has one).

    Of hashes, of its marshalled form or of its repr: the first that there is, each several times as
    fast as the next.
    """
    import hashlib

    kind = _type(value)
    for name, form in (("hashes", _hashes), ("marshal", _marshalled), ("repr", _repr_pieces)):
        sha = hashlib.sha256(name.encode("ascii"))
        try:
            for piece in form(value, kind):
                sha.update(piece)
        except (TypeError, ValueError):  # what has no such form
            continue
        return sha.hexdigest()
    raise Unserialisable("the result has no repr")


def _slices(value: Any) -> Iterator[list[Any]]:
    for start in range(0, _len(value), _FINGERPRINTED):
        yield list.__getitem__(value, slice(start, start + _FINGERPRINTED))


def _hashes(value: Any, kind: type) -> Iterator[bytes]:
    """Of a list of tuples of words, where equal words have equal hashes in every process."""
    from array import array

    if kind is not list or sys.flags.hash_randomization or {*map(_type, value)} != {tuple}:
        raise TypeError
    if {_type(word) for words in value[:_FINGERPRINTED] for word in words} != {str}:
        raise TypeError
    for some in _slices(value):
        yield array("q", map(hash, some)).tobytes()


def _marshalled(value: Any, kind: type) -> Iterator[bytes]:
    """In the version that is of the value alone, and not of what is the same object in it."""
    import marshal

    if kind is not list:
        raise TypeError
    for some in _slices(value):
        yield marshal.dumps(some, 2)


def _repr_pieces(value: object, _: type) -> Iterator[bytes]:
    text = _repr(value)
    for start in range(0, _len(text), 1 << 24):
        yield text[start : start + (1 << 24)].encode("utf-8", "backslashreplace")


class Reporter:
    """Writes the messages; the only road from here to the harness besides standard output."""

    def __init__(self, fd: int, max_bytes: int) -> None:
        self._fd = fd
        self.max_bytes = max_bytes

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        data = (len(payload) + 1).to_bytes(4, "little") + kind + payload
        view = memoryview(data)
        while view:
            view = view[_write(self._fd, view) :]

    def send_text(self, kind: bytes, text: str) -> None:
        self.send(kind, text[-_ERROR_CHARS:].encode("utf-8", "backslashreplace"))

    def send_result(self, value: object) -> None:
        payload = _plain_json(value)
        if payload is not None and _len(payload) <= self.max_bytes:
            self.send(b"R", payload)
            return
        import json

        try:
            if _holds_more(value, self.max_bytes // VALUE_BYTES):
                raise TooLarge
            plain = _Encoder(self.max_bytes).encode(value)
            text = json.dumps(plain, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
            payload = text.encode("utf-8", "surrogatepass")
            if _len(payload) > self.max_bytes:
                raise TooLarge
        except TooLarge:
            payload = json.dumps({"big": _fingerprint(value)}).encode("ascii")
        except (Unserialisable, RecursionError) as error:
            self.send_text(b"E", "the result cannot be serialised: %s" % error)
            return
        self.send(b"R", payload)

    def send_exception(self, error: BaseException, source: str) -> None:
        kind = b"M" if _issubclass(_type(error), MemoryError) else b"E"
        if kind == b"M":
            make_room()
        self.send_text(kind, describe_exception(error, source))


def make_room() -> None:
    """Room for a report of an exhausted memory, where the limit leaves some."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def describe_exception(error: BaseException, source: str) -> str:
    """The traceback's last frames inside the program and the exception, as Python prints them."""
    if _isinstance(error, SystemExit):
        return "SystemExit: %s" % (getattr(error, "code", None),)
    try:
        import linecache
        import traceback

        linecache.cache["<program>"] = (len(source), None, source.splitlines(True), "<program>")
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == "<program>"]
        text = "".join(traceback.format_list(frames[-3:]))
        if text:
            text = _HEADING + text
        said = "".join(traceback.format_exception_only(_type(error), error))
        if _len(said) > _MESSAGE_CHARS:  # its name comes first, that of a SyntaxError last
            said = "%s [...] %s" % (said[: _MESSAGE_CHARS // 2], said[-_MESSAGE_CHARS // 2 :])
        return text + said
    except BaseException as nested:  # the program's own __str__ may raise anything at all
        return "%s (its text cannot be shown: %s)" % (_type(error).__name__, _type(nested).__name__)


def prepare_interpreter(packages: list[str]) -> None:
    """Gives a `-S` interpreter what scripts expect of a full one."""
    import site  # under -S this adds nothing to the path

    site.setquit()
    site.setcopyright()
    site.sethelper()
    sys.path.extend(packages)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)


def file_bytes(output_bytes: int, hard: int) -> int:
    """How large a file of a program's may be: what it writes for itself is no output.

    Standard output is watched besides. hard: what this machine allows, below 0 for anything. It is
    at least the output limit and what a buffer adds to it.
    """
    least = output_bytes + _FILE_SLACK
    return max(least, _FILE_BYTES if hard < 0 else min(_FILE_BYTES, hard))


def compile_program(source: str) -> CodeType:
    """The program's code object; every way in which compiling fails is a SyntaxError.

    A byte order mark before it is none of its text, as in a file.
    """
    try:
        return compile(source.removeprefix("\ufeff"), "<program>", "exec", dont_inherit=True)
    except SyntaxError:
        raise
    except (ValueError, RecursionError, MemoryError, OverflowError, SystemError) as error:
        raise SyntaxError("%s: %s" % (type(error).__name__, error)) from None


def fresh_module(name: str) -> ModuleType:
    """An empty module that the import system knows by this name."""
    module = type(sys)(name)
    module.__dict__["__builtins__"] = builtins
    sys.modules[name] = module
    return module


def find_function(namespace: dict[str, Any], name: str) -> Any:
    """The callable a CallCase names: a method of a new `Solution()`, else a top-level function.

    Raises NameError where there is neither.
    """
    solution = namespace.get("Solution")
    if solution is not None and hasattr(solution, name):
        return getattr(solution(), name)
    if name not in namespace:
        raise NameError("the program defines no function %r" % name)
    return namespace[name]


def load_code(job: dict[str, Any], report: Reporter) -> CodeType | None:
    """The program's code; None, with a report, where it does not compile."""
    try:
        return job.get("code") or compile_program(job["source"])
    except SyntaxError as error:
        if job["memory_bytes"] < _LEAST_TO_COMPILE and _isinstance(error.__context__, MemoryError):
            report.send_exception(MemoryError(), job["source"])
        else:
            report.send_text(b"C", describe_exception(error, job["source"]))
        return None


def _load(job: dict[str, Any], module: ModuleType, report: Reporter) -> bool:
    """Compiles and runs the program in `module`; False, with a report, where that failed."""
    code = load_code(job, report)
    if code is None:
        return False
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        report.send_exception(error, job["source"])
        return False
    return True


def run_calls(job: dict[str, Any], module: ModuleType, report: Reporter) -> None:
    import marshal

    if not _load(job, module, report):
        return
    report.send(b"L")
    first = True
    _take_printed(1)
    for function, packed in _all_calls(job):
        try:
            result = find_function(module.__dict__, function)(*marshal.loads(packed))
            too_much = _take_printed(1) > report.max_bytes
            if not too_much:
                report.send_result(result)
        except BaseException as error:
            too_much = _take_printed(1) > report.max_bytes
            if not first and _may_be_of_earlier_calls(error):
                report.send(b"A")
                return
            if not too_much:
                report.send_exception(error, job["source"])
        if too_much:
            if not first:  # a stream of the program's own may go on where earlier calls ended
                report.send(b"A")
                return
            report.send_text(b"O", "the call printed more than the limit")
        first = False


def _all_calls(job: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Those of the job, then those that come from its pipe as long as there is one."""
    import marshal

    inputs = job.get("inputs")
    calls = job["calls"]
    while True:
        yield from calls
        if inputs is None:
            return
        size = int.from_bytes(_read_all(inputs, 4), "little")
        if not size:
            return
        calls = marshal.loads(_read_all(inputs, size))


def _read_all(descriptor: int, size: int) -> bytes:
    """Fewer bytes where the other end is closed."""
    data = b""
    while _len(data) < size and (more := _read(descriptor, size - _len(data))):
        data += more
    return data


def _take_printed(stream: int) -> int:
    """How much is in the stream's file, which is empty then: nobody reads what calls print, and it
    must not add up to a limit."""
    try:
        size = _lseek(stream, 0, 2)
        if size:
            _ftruncate(stream, 0)
            _lseek(stream, 0, 0)
    except OSError:  # a program may have closed it, or put a pipe in its place
        return 0
    return size


def _may_be_of_earlier_calls(error: BaseException) -> bool:
    """Whether it lacks memory, descriptors, threads, or room or names for files."""
    if _issubclass(_type(error), MemoryError):
        make_room()
        return True
    if _issubclass(_type(error), OSError):
        import errno as e

        used_up = (e.EMFILE, e.ENFILE, e.ENOSPC, e.EFBIG, e.EAGAIN, e.ENOMEM, e.EEXIST)
        return getattr(error, "errno", None) in used_up
    return _type(error) is RuntimeError and error.args == ("can't start new thread",)


def missing_module(names: list[str], source: str) -> str | None:
    """The first of these modules that cannot be imported here, for whoever runs no program yet.

    source: of a program that may make modules, where it names them.
    """
    if "modules" in source:
        return None
    for name in names:
        found = name in sys.modules or any(f.find_spec(name, None) for f in sys.meta_path)
        if not found:
            return name
    return None


def run_script(job: dict[str, Any], module: ModuleType, report: Reporter) -> None:
    """The program as a module, then the tests in its namespace as `__main__`."""
    tests = compile(job["script"], "<script>", "exec", dont_inherit=True)
    counting: dict[str, Any] = {"__name__": "tally"}
    _exec(compile(job["tally"], "<tally>", "exec", dont_inherit=True), counting)
    tally = counting["Tally"]()
    if not _load(job, module, report):
        return
    report.send(b"L")
    module.__dict__.update({"__name__": "__main__", job["tally_name"]: tally})
    sys.modules["__main__"] = module
    try:
        if "unittest" in job["script"]:
            tally.watch_unittest()
        _exec(tests, module.__dict__)
    except BaseException as error:
        if not _is_own_exit(error, tests):
            report.send_exception(error, job["source"])
            return
    report.send_text(b"D", "%s %d %d" % (job["nonce"], tally.held, tally.failed))


def _is_own_exit(error: BaseException, tests: CodeType) -> bool:
    """Whether the tests themselves exited with the status 0, and not something that they called."""
    if not _isinstance(error, SystemExit) or getattr(error, "code", 1) not in (None, False, 0):
        return False
    own, waiting = {_id(run_script.__code__), _id(_EXIT_CODE)}, [tests]
    while waiting:
        code = waiting.pop()
        own.add(_id(code))
        waiting += [constant for constant in code.co_consts if _type(constant) is _type(tests)]
    frames = error.__traceback__
    while frames is not None:
        if _id(frames.tb_frame.f_code) not in own:
            return False
        frames = frames.tb_next
    return True


_exec, _id = exec, id
_EXIT_CODE = __import__("_sitebuiltins").Quitter.__call__.__code__
