"""`ctrl-harness lm-eval` where lm-eval is not installed, and what needs none of it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ctrl_harness.critique.critic import Draft
from ctrl_harness.critique.prompts import PromptSet
from ctrl_harness.errors import UserError
from ctrl_harness.plugins.lm_eval.command import TASKS, lm_eval
from ctrl_harness.plugins.lm_eval.options import options_of
from ctrl_harness.problems.problem import Problem


def test_without_lm_eval_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(lm_eval, ["run", "--tasks", "ctrl_mbppplus"])
    assert isinstance(result.exception, UserError)
    assert "pip install 'ctrl-harness[lm-eval]'" in str(result.exception)


def test_naming_the_command_imports_nothing_heavy():
    check = (
        "import sys, ctrl_harness.plugins.lm_eval.command; "
        "print({'lm_eval', 'torch', 'datasets', 'inspect_ai'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_four_tasks_have_their_files():
    names = {path.stem for path in TASKS.glob("*.yaml")}
    assert names == {"ctrl_codecontests", "ctrl_livecodebench", "ctrl_mbppplus", "ctrl_judgebench"}


def test_the_critic_of_any_answer_speaks_of_no_program():
    prompts = PromptSet(str(TASKS.parent / "prompts" / "answers"), "sums")
    problem = Problem("sums/1", "sums", "What is 1 + 1?", ())
    system, question = prompts.critique(problem, Draft("It is 3.", None))
    (revise,) = prompts.revision(problem, Draft("It is 3.", None), "Count again.")
    assert "What is 1 + 1?" in question.content and "It is 3." in question.content
    assert "Count again." in revise.content
    words = f"{system.content} {question.content} {revise.content}".lower()
    assert "program" not in words and "code" not in words
    assert prompts.read("Overall judgment: Incorrect").judgement == "incorrect"


# -- options


KNOWN = ("source", "tests")


def test_what_is_said_for_one_task_goes_before_what_is_said_for_all():
    config = {
        "dataset_kwargs": {"source": "file", "tests": "public"},
        "metadata": {"source": "run", "pretrained": "m", "mine": {"tests": "all"}},
    }
    assert options_of("mine", config, KNOWN) == {"source": "run", "tests": "all"}
    assert options_of("other", config, KNOWN) == {"source": "run", "tests": "public"}
    assert options_of("other", {}, KNOWN) == {}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"dataset_kwargs": {"sorce": "x"}}, "dataset_kwargs of mine: there is no 'sorce'"),
        ({"metadata": {"mine": {"sorce": "x"}}}, "--metadata for mine: there is no 'sorce'"),
        ({"metadata": {"mine": "samples"}}, "give a dict of options"),
    ],
)
def test_an_unknown_option_is_refused_where_it_can_be_told(config, message):
    with pytest.raises(UserError, match=message):
        options_of("mine", config, KNOWN)
