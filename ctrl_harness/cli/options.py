"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ctrl_harness.execution.choice import NAMES

Command = TypeVar("Command", bound=Callable[..., Any])


def executor_options(command: Command) -> Command:
    """`--executor`, `--unsafe-no-isolation` and `--package`, as `get_executor` takes them.

    The last one arrives as `packages`, a tuple.
    """
    unsafe = click.option(
        "--unsafe-no-isolation",
        is_flag=True,
        help="Run programs with all your rights (executor process), in containers of your own.",
    )
    name = click.option(
        "--executor", type=click.Choice(NAMES), help="embedded (isolated) by default."
    )
    package = click.option(
        "--package", "packages", multiple=True, metavar="NAME",
        help="Let programs import this installed package too, beside numpy; may be repeated.",
    )  # fmt: skip
    return name(unsafe(package(command)))
