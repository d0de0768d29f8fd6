"""A frozen generator behind a real HTTP port, and rows to reward critiques of."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def generators() -> ModuleType:
    """The module generator_server: `Generator`, `Raw`, `served`."""
    path = Path(__file__).with_name("generator_server.py")
    spec = importlib.util.spec_from_file_location("generator_server_of_tests", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def serve_generator(generators: ModuleType) -> Iterator[Callable[..., Any]]:
    """Serves a generator that says what a function of the messages says; ends with the test."""
    with ExitStack() as stack:

        def serve(say: Any, **options: Any) -> Any:
            return stack.enter_context(generators.served(generators.Generator(say, **options)))

        yield serve


@pytest.fixture
def make_row() -> Callable[..., dict[str, Any]]:
    """A row of the RL parquet: two numbers to be added, and a draft that adds wrongly, or rightly.

    The verdict is that of a judge; `tests` more cases make the problem longer.
    """
    from ctrl_harness.critique.critic import Draft
    from ctrl_harness.problems import Problem, StdioCase
    from ctrl_harness.training.rl_rows import DraftVerdict, Episode, EpisodeSettings

    def make(right: bool = False, index: int = 0, **settings: Any) -> dict[str, Any]:
        problem = Problem(
            "add", "taco", "Add two numbers.", (StdioCase("1 2\n", "3\n"), StdioCase("5 6\n", "11"))
        )
        program = "print(sum(map(int, input().split())))\n" if right else "print(3)\n"
        verdict = DraftVerdict(*(("accepted", 2) if right else ("wrong_answer", 1)), 2, "d" * 64)
        draft = Draft(f"```python\n{program}```", program)
        row = Episode(problem, draft, verdict, EpisodeSettings(**settings), index=index).to_row()
        row["extra_info"]["global_steps"] = 3
        return row

    return make
