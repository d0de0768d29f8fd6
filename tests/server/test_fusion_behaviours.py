"""What SandboxFusion's own tests for Python ask: what is stated of each is so."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest


def _behaviours() -> ModuleType:
    # by path: tests are no package
    path = Path(__file__).with_name("fusion_behaviours.py")
    spec = importlib.util.spec_from_file_location("fusion_behaviours", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


_MODULE = _behaviours()
BEHAVIOURS: list[Any] = _MODULE.BEHAVIOURS
HELD = [each for each in BEHAVIOURS if not each.differs]
DIFFERENT = [each for each in BEHAVIOURS if each.differs]


def name_of(each: Any) -> str:
    return each.name


@pytest.fixture(scope="module")
def asked(client: httpx.Client) -> Iterator[Any]:
    yield _MODULE.Server(client)


@pytest.mark.parametrize("each", HELD, ids=name_of)
def test_it_holds(asked: Any, each: Any) -> None:
    each.check(asked)


@pytest.mark.parametrize("each", DIFFERENT, ids=name_of)
def test_it_differs_as_docs_server_says(asked: Any, each: Any, root: Path) -> None:
    with pytest.raises(AssertionError):
        each.check(asked)
    page = (root / "docs" / "server.md").read_text(encoding="utf-8")
    assert f"`{each.name}`" in page


def test_the_page_counts_them(root: Path) -> None:
    page = (root / "docs" / "server.md").read_text(encoding="utf-8")
    assert f"{len(HELD)} of {len(BEHAVIOURS)}" in page


def test_no_name_comes_twice() -> None:
    names: list[Any] = [each.name for each in BEHAVIOURS]
    assert len(set(names)) == len(names)
