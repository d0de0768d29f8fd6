"""Critics by name: files, arguments, votes, and what is said where there is none."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from ctrl_harness.critique.critic import CriticFactory, find_critic, takes_argument
from ctrl_harness.critique.critics import CRITICS
from ctrl_harness.critique.finding import known
from ctrl_harness.critique.voting import choose_critic
from ctrl_harness.errors import UserError

FILE = """
    import dataclasses

    import a_helper_beside_it
    from ctrl_harness.critique.critic import Critique, takes_argument

    @dataclasses.dataclass
    class Said:
        words: "str"

    def make(context):
        async def criticise(problem, draft):
            return Critique(Said(a_helper_beside_it.WORDS).words, "incorrect")
        return criticise

    @takes_argument("WORDS")
    def saying(words):
        if words == "nothing":
            from ctrl_harness.errors import UserError
            raise UserError("there is nothing to say; give words")
        def make(context):
            async def criticise(problem, draft):
                return Critique(words, "incorrect")
            return criticise
        return make

    number = 5
    """


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a_helper_beside_it.py").write_text("WORDS = 'from beside'\n")
    path = tmp_path / "critics.py"
    path.write_text(textwrap.dedent(FILE))
    return path


def test_a_file_is_run_once_and_finds_what_stands_beside_it(file: Path) -> None:
    before = set(sys.modules)
    factory = find_critic(f"{file}:make")
    assert find_critic(f"{file}:make") is factory
    assert len([name for name in set(sys.modules) - before if "critic" in name]) == 1


def test_an_argument_makes_the_factory(file: Path) -> None:
    assert callable(find_critic(f"{file}:saying:so"))
    with pytest.raises(UserError, match="there is nothing to say"):
        find_critic(f"{file}:saying:nothing")


def test_votes_of_a_critic_out_of_a_file(file: Path) -> None:
    assert find_critic(f"vote:1:{file}:make") is find_critic(f"{file}:make")
    assert callable(find_critic(f"vote:3:{file}:saying:so"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("{file}:missing", "has no 'missing'; give the name of a critic's factory in it"),
        ("{file}:number", "is not a function of one context"),
        ("{file}:saying", "needs an argument; write {file}:saying:WORDS"),
        ("{file}:make:so", "takes no argument; write {file}:make"),
        ("nowhere/critics.py:make", "there is no file 'nowhere/critics.py'"),
        ("none", "'none' is no critic but the control of one"),
        ("http", "needs an argument; write http:URL"),
        ("agent:fast", "takes no argument; write agent"),
        ("vote:3", "write vote:3:model, say"),
        ("vote:many:model", "write vote:3:model, say"),
        ("vote:3:nobody", "unknown critic 'nobody'"),
        ("nobody", "http"),
    ],
)
def test_what_cannot_be_found_is_a_sentence(file: Path, name: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        find_critic(name.format(file=file))
    assert says.format(file=file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["def make(:", "import no_such_module", "1 / 0"])
def test_a_file_that_cannot_be_run_is_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    for _ in range(2):
        with pytest.raises(UserError, match="cannot be run") as caught:
            find_critic(f"{path}:make")
        assert "\n" not in str(caught.value)


def test_a_voting_critic_is_a_critic_like_others_and_votes_once() -> None:
    assert find_critic("vote:1:model") is CRITICS["model"]
    assert callable(find_critic("vote:3:model"))
    with pytest.raises(UserError, match="votes already; leave votes=3 out"):
        choose_critic("vote:3:model", votes=3, feedback_tests="public")
    with pytest.raises(UserError, match="asks none"):
        find_critic("vote:3:execution")


def test_all_that_are_known_say_how_they_are_chosen_and_what_they_do() -> None:
    rows = {row.form: row for row in known()}
    forms = {"model", "execution", "http:URL", "recorded:FILE", "reward_model:PATH", "agent"}
    assert forms <= set(rows)
    assert all(row.origin and row.about for row in rows.values())


def test_takes_argument_keeps_what_it_marks() -> None:
    @takes_argument("COLOUR")
    def painted(colour: str) -> CriticFactory:
        """Paints."""
        return CRITICS["model"]

    assert painted.argument == "COLOUR"
    assert painted.make("red") is CRITICS["model"]
