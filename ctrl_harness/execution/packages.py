"""Third-party packages that programs may import: what of this environment they need.

A package is named as it is installed (`scikit-learn`) or as it is imported (`sklearn`). What it
requires comes with it, by the metadata of what is installed here.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ctrl_harness.errors import UserError

USUAL = ("numpy",)
"""What programs may import wherever it is installed, without being asked for."""
FOLDER_IN_CELL = "/packages"
_NOT_MODULES = (".dist-info", ".egg-info", ".libs", ".pth", ".data")


@dataclass(frozen=True, slots=True)
class Packages:
    """What programs may import beside the standard library.

    modules: the names by which it is imported, without those of what it requires. sources: (path
    here, path in a cell), with all that it requires.
    """

    modules: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()


def find_packages(names: Sequence[str]) -> Packages:
    """The named packages with all that they require; of the usual ones those that are installed.

    Raises UserError for another one that is not, or whose requirements are not.
    """
    return _find(tuple(dict.fromkeys(names)))


def require_packages(names: Sequence[str]) -> tuple[str, ...]:
    """The names, sorted and each once. Raises UserError as `find_packages`."""
    checked = tuple(sorted(set(names)))
    find_packages(checked)
    return checked


@cache
def _find(names: tuple[str, ...]) -> Packages:
    modules: dict[str, None] = {}
    sources: dict[tuple[str, str], None] = {}
    for name in names:
        distribution = _distribution(name)
        if distribution is None:
            if name in USUAL:
                continue
            raise UserError(
                f"the package {name!r:.80} is not installed here, so no program can import it; "
                f"install it (pip install {name:.80}) or leave it out"
            )
        found = list(_modules(distribution))
        if not found:
            raise UserError(
                f"the package {name!r:.80} has no files here (an editable install has none), so no "
                "program can import it; install it as a wheel"
            )
        modules.update(dict.fromkeys(found))
        for needed in _with_requirements(distribution):
            sources.update(dict.fromkeys(_sources(needed)))
    return Packages(tuple(modules), tuple(sources))


def _distribution(name: str) -> importlib.metadata.Distribution | None:
    """By the name it is installed under, else by that of a module of it."""
    try:
        return importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        owners = importlib.metadata.packages_distributions().get(name)
        return importlib.metadata.distribution(owners[0]) if owners else None


def _with_requirements(
    first: importlib.metadata.Distribution,
) -> list[importlib.metadata.Distribution]:
    """The distribution and all that it requires without extras. Raises UserError."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found = {canonicalize_name(first.metadata["Name"]): first}
    waiting = [first]
    while waiting:
        distribution = waiting.pop()
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            key = canonicalize_name(requirement.name)
            if key in found:
                continue
            try:
                found[key] = importlib.metadata.distribution(requirement.name)
            except importlib.metadata.PackageNotFoundError:
                raise UserError(
                    f"the package {distribution.metadata['Name']} needs {requirement.name}, which "
                    f"is not installed here; install it: pip install {requirement.name}"
                ) from None
            waiting.append(found[key])
    return list(found.values())


def _tops(distribution: importlib.metadata.Distribution) -> list[str]:
    """The first parts of the paths of its files, but for those that lie outside (`../../bin`)."""
    tops = {file.parts[0] for file in distribution.files or () if file.parts}
    return sorted(tops - {"..", "/", "__pycache__"})


def _modules(distribution: importlib.metadata.Distribution) -> Iterator[str]:
    for top in _tops(distribution):
        name = top.partition(".")[0]
        if name.isidentifier() and not name.startswith("_") and not top.endswith(_NOT_MODULES):
            yield name


def _sources(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, str]]:
    for top in _tops(distribution):
        path = Path(str(distribution.locate_file(top))).resolve()
        if path.exists():
            yield str(path), f"{FOLDER_IN_CELL}/{top}"
