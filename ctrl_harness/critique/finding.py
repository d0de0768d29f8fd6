"""From a critic's name to its factory, whatever it is that was named.

    model, execution, model+execution   ours (critics.py)
    NAME                                an installed package's, entry point `ctrl_harness.critics`
    NAME:ARGUMENT                       one that takes an argument (http:URL, recorded:FILE)
    path/file.py:NAME                   what a file calls NAME
    package/NAME                        an Inspect agent, once evaluation/agents.py is imported
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Protocol

from ctrl_harness.critique.critic import ENTRY_POINT_GROUP, CriticFactory, CriticMaker
from ctrl_harness.critique.critics import CRITICS
from ctrl_harness.errors import UserError

CONTROL = "none"
"""Named like a critic and none: the compute-matched control (evaluation/control.py)."""
IN_FILE = ".py:"


class Adapter(Protocol):
    """Makes critics of what another framework calls its own; this room knows none of them."""

    def find(self, name: str) -> CriticFactory | None:
        """The factory for what the framework knows by this name."""
        ...

    def adapt(self, target: object) -> CriticFactory | None:
        """The factory for an object, where that is the framework's."""
        ...


_adapters: list[Adapter] = []


def add_adapter(adapter: Adapter) -> None:
    """From now on names and objects of that framework are critics too."""
    _adapters.append(adapter)


def find(name: str) -> CriticFactory:
    """See `find_critic`."""
    if name in CRITICS:
        return CRITICS[name]
    if name == CONTROL:
        raise UserError(
            f"{CONTROL!r} is no critic but the control of one: -T critic={CONTROL} -T arm=LOG "
            "with one of the tasks over programs (docs/tasks.md)"
        )
    plugins = _plugins()
    base, colon, argument = name.partition(":")
    if base in plugins:
        return _of_plugin(plugins[base], argument if colon else None)
    if IN_FILE in name:
        path, _, attribute = name.partition(IN_FILE)
        return _in_file(Path(path + ".py").expanduser(), attribute)
    for adapter in _adapters:
        factory = adapter.find(name)
        if factory is not None:
            return factory
    choices = ", ".join([*CRITICS, *(_form(point) for _, point in sorted(plugins.items()))])
    raise UserError(
        f"unknown critic {name!r}; choose one of {choices}, or name a file: path/file.py:NAME"
    )


class Known(NamedTuple):
    """A critic that can be chosen. form: how. origin: whose it is. about: its first line."""

    form: str
    origin: str
    about: str


def known() -> Iterator[Known]:
    """Ours and the installed ones; one that cannot be loaded says so in `about`."""
    for name, factory in CRITICS.items():
        yield Known(name, "ctrl-harness", _first_line(factory))
    for name, point in sorted(_plugins().items()):
        origin = point.dist.name if point.dist is not None else point.value
        try:
            target = _load(point)
        except UserError as error:
            yield Known(name, origin, str(error))
            continue
        if isinstance(target, CriticMaker):
            yield Known(f"{name}:{target.argument}", origin, _first_line(target.make))
        else:
            yield Known(name, origin, _first_line(target))


def _first_line(target: object) -> str:
    return (inspect.getdoc(target) or "").split("\n")[0]


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _form(point: EntryPoint) -> str:
    """Without importing it: an unknown name must not be answered by somebody's broken package."""
    loaded = sys.modules.get(point.module)
    target = getattr(loaded, point.attr, None)
    return f"{point.name}:{target.argument}" if isinstance(target, CriticMaker) else point.name


def _of_plugin(point: EntryPoint, argument: str | None) -> CriticFactory:
    return _factory(_load(point), f"critic {point.name!r} ({point.value})", point.name, argument)


def _load(point: EntryPoint) -> object:
    try:
        target: object = point.load()
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"critic {point.name!r} ({point.value}) cannot be loaded: {error}; "
            "reinstall or fix its package"
        ) from error
    return target


def _in_file(path: Path, attribute: str) -> CriticFactory:
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}; name a critic's as path/file.py:NAME")
    attribute, colon, argument = attribute.partition(":")
    target = getattr(_module(path.resolve()), attribute, None)
    if target is None:
        raise UserError(f"{path} has no {attribute!r}; give the name of a critic's factory in it")
    name = f"{path}:{attribute}"
    return _factory(target, f"critic {name}", name, argument if colon else None)


def _factory(target: object, what: str, name: str, argument: str | None) -> CriticFactory:
    if isinstance(target, CriticMaker):
        if not argument:
            raise UserError(f"{what} needs an argument; write {name}:{target.argument}")
        return target.make(argument)
    if argument is not None:
        raise UserError(f"{what} takes no argument; write {name}")
    for adapter in _adapters:
        factory = adapter.adapt(target)
        if factory is not None:
            return factory
    if not callable(target):
        raise UserError(f"{what} is not a function of one context")
    return target


def _module(path: Path) -> ModuleType:
    """The file's module, run once; its folder is looked in for what it imports, after all else."""
    name = f"ctrl_harness_critic_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is not a Python file; name a critic's as path/file.py:NAME")
    module = module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module  # dataclasses look their module up while it runs
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{path} cannot be run ({reason}); correct it") from error
    return module
