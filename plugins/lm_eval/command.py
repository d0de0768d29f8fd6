"""`ctrl-harness lm-eval`: lm-eval's own command line, with our tasks and models in it."""

from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import click

from ctrl_harness.errors import UserError

TASKS = Path(__file__).parent / "tasks"
"""The folder for `lm-eval --include_path`, where our command is not wanted."""

_MODELS = {
    "ctrl-critic": "ctrl_harness.plugins.lm_eval.critic_lm:CriticLM",
    "ctrl-recorded": "ctrl_harness.plugins.lm_eval.recorded:RecordedLM",
}


@click.command(
    name="lm-eval",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def lm_eval(arguments: tuple[str, ...]) -> None:
    """Run lm-eval with the tasks ctrl_* and the models ctrl-critic and ctrl-recorded.

    All arguments are lm-eval's: see `ctrl-harness lm-eval run --help` and docs/lm_eval.md.
    """
    require_lm_eval()
    register_models()
    from lm_eval._cli import HarnessCLI
    from lm_eval.utils import setup_logging

    from ctrl_harness.plugins.lm_eval.judging import close_judges

    setup_logging()
    sys.argv = ["lm-eval", *arguments]  # where its parser reads them
    parser = HarnessCLI()
    namespace = parser.parse_args()
    if hasattr(namespace, "include_path"):
        namespace.include_path = [str(TASKS), *_own_paths(namespace)]
    try:
        parser.execute(namespace)
    finally:
        close_judges()
    _raise_failures()


def require_lm_eval() -> None:
    """Raises UserError where lm-eval is not installed."""
    if importlib.util.find_spec("lm_eval") is None:
        raise UserError("lm-eval is not installed; pip install 'ctrl-harness[lm-eval]'")


def register_models() -> None:
    """Makes `ctrl-critic` and `ctrl-recorded` known to lm-eval in this process. Idempotent."""
    import lm_eval.models  # noqa: F401 - which fills the registry, where ours are added
    from lm_eval.api.registry import model_registry

    for name, target in _MODELS.items():
        if name not in model_registry:
            model_registry.register(name, target=target)


def _own_paths(namespace: Namespace) -> list[str]:
    """The folders of tasks that the user named, on the command line or in a file (--config)."""
    given: Any = namespace.include_path
    if given is None and getattr(namespace, "config", None):
        from lm_eval.config.evaluate_config import EvaluatorConfig

        given = EvaluatorConfig.load_yaml_config(namespace.config).get("include_path")
    if given is None:
        return []
    return [str(path) for path in (given if isinstance(given, list) else [given])]


def _raise_failures() -> None:
    tasks = sys.modules.get("ctrl_harness.plugins.lm_eval.program_tasks")
    if tasks is not None:
        tasks.raise_failures()
