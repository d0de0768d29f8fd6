"""docs/training.md and the lock for GPUs say what is so."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

pytest.importorskip("packaging")

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ctrl_harness.cli.main import cli
from ctrl_harness.training.sft_config import SftConfig, read_config, shipped

EXTRAS = ("training", "training-gpu", "lm-eval", "local", "server")


def commands(page: str) -> list[list[str]]:
    """The page's `ctrl-harness` commands, without what stands before them on their line."""
    lines = [
        line
        for block in re.findall(r"(?ms)^```sh\n(.*?)^```$", page)
        for line in block.replace("\\\n", " ").splitlines()
    ]
    found = []
    for line in lines:
        words = shlex.split(line.replace('"$(command -v ctrl-harness)"', "ctrl-harness"), True)
        if "ctrl-harness" in words:
            found.append(words[words.index("ctrl-harness") + 1 :])
    return found


def parse(words: list[str]) -> click.Context:
    """The command's context; a click.ClickException for one that does not exist."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None and name is not None
        command = found
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=name)
    return command.make_context(command.name, words, parent=context)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def locked(root: Path) -> dict[str, str]:
    """Version by package."""
    text = (root / "training" / "requirements-gpu.lock").read_text(encoding="utf-8")
    pins = (line.split("==") for line in text.splitlines() if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pins}


def test_every_command_of_the_page_has_that_name_and_those_options(page: str) -> None:
    found = commands(page)
    assert {tuple(words[:2]) for words in found} >= {
        ("data", "taco"), ("train", "sft"), ("train", "grpo"), ("train", "merge"),
        ("trace", "summarize"),
    }  # fmt: skip
    for words in found:
        if words[0] == "synthesize":
            words[1] = "data/taco/rl.parquet"  # a loop's variable
            words = ["train" if word == "$split" else word for word in words]
        parse(words)


def test_every_key_of_a_configuration_is_on_the_page(page: str) -> None:
    table = page[page.index("| key | meaning |") :]
    named = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines()
                                               if line.startswith("| `"))))  # fmt: skip
    assert named == set(SftConfig.model_fields)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_configuration_can_be_read(name: str) -> None:
    assert read_config(name).model


def test_the_lock_has_every_pin_of_the_extras(root: Path, locked: dict[str, str]) -> None:
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [Requirement(text) for text in project["dependencies"]]
    for extra in EXTRAS:
        asked += [Requirement(text) for text in project["optional-dependencies"][extra]]
    for requirement in asked:
        if requirement.name == "ctrl-harness":
            continue
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_the_page_counts_the_packages_of_the_lock(page: str, locked: dict[str, str]) -> None:
    assert f"all {len(locked)} packages" in page
