"""`ctrl-harness`: finds the commands, ours and those that other packages register."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import entry_points

import click

from ctrl_harness.errors import JudgeError, UserError

ENTRY_POINT_GROUP = "ctrl_harness.commands"
EXIT_USER_ERROR = 1
EXIT_JUDGE_ERROR = 3

_BUILT_IN = ("compare", "critics", "doctor", "models", "serve", "table", "verify")
"""A module of this package each, holding a command of the same name; imported when called."""


class _Commands(click.Group):
    """Our commands and those of installed packages, each imported only when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        plugins = (point.name for point in entry_points(group=ENTRY_POINT_GROUP))
        return sorted({*_BUILT_IN, *plugins})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = None
        if cmd_name in _BUILT_IN:
            module = importlib.import_module(f"ctrl_harness.cli.{cmd_name}")
            command = getattr(module, cmd_name)
        else:
            for point in entry_points(group=ENTRY_POINT_GROUP, name=cmd_name):
                try:
                    command = point.load()
                except ImportError as error:
                    raise UserError(
                        f"command {cmd_name!r} cannot be loaded: {error}; install what it needs"
                    ) from error
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ctrl-harness")
def cli() -> None:
    """Score and train critics of programs."""


def run() -> None:
    """Entry of the console script: one line on stderr for what is wrong with the input."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
            error.show()
            sys.exit(error.exit_code)
        # not click's 2, which `verify` gives a meaning of its own
        print(f"ctrl-harness: {_in_one_line(error)}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except (click.Abort, KeyboardInterrupt):
        print("ctrl-harness: stopped", file=sys.stderr)
        sys.exit(130)
    except UserError as error:
        print(f"ctrl-harness: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except JudgeError as error:
        print(f"ctrl-harness: the judge failed: {error}", file=sys.stderr)
        sys.exit(EXIT_JUDGE_ERROR)


def _in_one_line(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return text if context is None else f"{text} (see `{context.command_path} --help`)"
