"""Synthesis in one process: what is made, what is kept, what is left out and never made twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pyarrow.parquet
import pytest

from ctrl_harness.critique.messages import Completion
from ctrl_harness.critique.protocol import Sampling
from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.problems import Limits, Problem, StdioCase
from ctrl_harness.training import stored_work, synthesis_run
from ctrl_harness.training.engine import (
    Engine,
    LocalEngine,
    ModelFailed,
    ModelSpec,
    Question,
    Submission,
    WorkSpec,
)
from ctrl_harness.training.rl_rows import Episode, EpisodeSettings
from ctrl_harness.training.sft_rows import Selection
from ctrl_harness.training.store import read_store
from ctrl_harness.training.synthesis_files import Wanted
from ctrl_harness.training.synthesis_run import Ended, SynthesisJob, run_synthesis
from ctrl_harness.training.synthesize import Recipe
from ctrl_harness.verification.verdict import Verdict

PROBLEMS = tuple(
    Problem(
        id=f"add-{k}",
        dataset="taco",
        statement=f"Read n. Print n + {k}.",
        cases=tuple(StdioCase(f"{n}\n", f"{n + k}\n") for n in (1, 5, -3)),
        limits=Limits(time_s=2.0),
    )
    for k in (1, 2, 3)
)
BROKEN = "n = int(input())\nprint(n + missing)"
"""Ends in an error on every input; what is wrong in each draft but the fourth, which is right."""


def right(problem: Problem) -> str:
    return f"n = int(input())\nprint(n + {problem.id.removeprefix('add-')})"


def drafts(problem: Problem) -> list[str]:
    number = problem.id.removeprefix("add-")
    partly = f"n = int(input())\nprint(n + {number} if n > 0 else 7777)"
    return [partly, "n = int(input())\nprint(n + 100)", BROKEN, right(problem)]


CRITIQUE = "Analysis: draft {number} adds something else.\n\nImprovement suggestions: add the right"
CRITIQUE += " number.\n\nOverall judgment: {verdict}"

Critic = Callable[[Problem, int], str]


def plain_critic(problem: Problem, number: int) -> str:
    return CRITIQUE.format(number=number, verdict="Correct" if number == 3 else "Incorrect")


@pytest.fixture
def script(new_script: Callable[..., Any]) -> Callable[..., str]:
    """A scripted model. revise: what a revision is, by (problem, draft's number)."""

    def make(
        critic: Critic = plain_critic,
        revise: Callable[[Problem, int], str] = lambda problem, _: right(problem),
        name: str = "script.jsonl",
    ) -> str:
        lines = new_script(name)
        for problem in PROBLEMS:
            for number, program in enumerate(drafts(problem)):
                fenced = f"Here:\n```python\n{program}\n```"
                lines.line(problem.id, "generator", 0, fenced, number + 1)
                lines.line(problem.id, "critic", 1, critic(problem, number), number + 1)
                revised = f"```python\n{revise(problem, number)}\n```"
                lines.line(problem.id, "generator", 1, revised, number + 1)
        return str(lines.save())

    return make


def job_of(model: str, out: Path, **changes: Any) -> SynthesisJob:
    job = SynthesisJob(
        problems=lambda: iter(PROBLEMS),
        total=len(PROBLEMS),
        out=out,
        spec=WorkSpec(ModelSpec(model), seed=1, sampling={"revision": Sampling(0.0)}, jobs=2),
        recipe=Recipe(),
        wanted=Wanted(Selection(), EpisodeSettings()),
    )
    return replace(job, **changes)


def run(job: SynthesisJob) -> Ended:
    return anyio.run(run_synthesis, job)


def sft_rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "sft.jsonl").read_text().splitlines()]


def episodes(out: Path) -> list[Episode]:
    rows = pyarrow.parquet.read_table(out / "rl.parquet").to_pylist()
    return [Episode.from_extra_info(row["extra_info"]) for row in rows]


def content(out: Path) -> dict[str, Any]:
    """What counts of a store: payloads by key."""
    return {key: record.payload for key, record in read_store(out / "store.jsonl").items()}


class Spy:
    """A real engine, whose questions are noted and some of whose work fails."""

    def __init__(
        self,
        spec: WorkSpec,
        *,
        asking: Callable[[Question], bool] = lambda _: False,
        judging: Callable[[Submission], bool] = lambda _: False,
    ) -> None:
        self._inner = LocalEngine(spec)
        self._asking = asking
        self._judging = judging
        self.questions: list[Question] = []
        self.submissions: list[Submission] = []

    async def ask(self, question: Question) -> Completion:
        self.questions.append(question)
        if self._asking(question):
            raise ModelFailed("HTTP 429: come back later")
        return await self._inner.ask(question)

    async def judge(self, submission: Submission) -> Verdict:
        self.submissions.append(submission)
        if self._judging(submission):
            raise JudgeError("no cell could be started")
        return await self._inner.judge(submission)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Ended, Spy]]:
    """Runs a job with a Spy as its engine."""

    def go(job: SynthesisJob, **failing: Any) -> tuple[Ended, Spy]:
        spy = Spy(job.spec, **failing)

        def open_engine(job: SynthesisJob) -> Engine:
            return spy

        monkeypatch.setattr(synthesis_run, "open_engine", open_engine)
        return run(job), spy

    return go


# -- what is made


def test_drafts_a_critique_and_a_revision_become_rows(
    tmp_path: Path, script: Callable[..., str]
) -> None:
    ended = run(job_of(script(), tmp_path))
    report = json.loads((tmp_path / "report.json").read_text())
    assert report == ended.report
    assert report["problems"] == 3
    assert report["drafts"] == {
        "judged": 12, "by_status": {"accepted": 3, "runtime_error": 3, "wrong_answer": 6},
    }  # fmt: skip
    assert report["judgements"] == {"wrong_called_incorrect": 3}
    assert report["revisions"] == {"wrong_to_right": 3}
    assert report["sft"] == {"rows": 3, "dropped": {}}
    assert report["rl"] == {"rows": 12, "dropped": {}}
    assert report["left_out"]["samples"] == []
    rows = sft_rows(tmp_path)
    assert [row["info"]["task_id"] for row in rows] == ["add-1", "add-2", "add-3"]
    assert all(row["messages"][-1]["content"].startswith("Analysis: draft 0") for row in rows)
    made = episodes(tmp_path)
    assert [(e.problem.id, e.draft_number, e.index) for e in made] == [
        (problem.id, number, 4 * place + number)
        for place, problem in enumerate(PROBLEMS)
        for number in range(4)
    ]
    assert [e.verdict.n_passed for e in made[:4]] == [2, 0, 0, 3]
    assert made[0].problem == PROBLEMS[0]


def test_the_question_of_a_row_is_the_evaluations_and_holds_no_hint(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    _, spy = spied(job_of(script(), tmp_path))
    asked = [q.call for q in spy.questions if q.call.role == "critic"]
    row = sft_rows(tmp_path)[0]
    question = [tuple(message.values()) for message in row["messages"][:-1]]
    (first,) = (call for call in asked if "n + 1." in call.messages[-1].content)
    assert "passed 2 of 3 test cases" in first.messages[-1].content
    assert first.messages[-1].content.startswith(question[-1][1])
    assert "test cases" not in question[-1][1]
    rl = pyarrow.parquet.read_table(tmp_path / "rl.parquet").to_pylist()
    assert rl[0]["prompt"] == row["messages"][:-1]


def test_each_outcome_of_a_run_is_told_in_its_own_way(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    _, spy = spied(job_of(script(), tmp_path, recipe=Recipe(critiques=4)))
    hints = {
        question.draft_number: question.call.messages[-1].content
        for question in spy.questions
        if question.call.role == "critic" and question.problem_id == "add-1"
    }
    assert "passed 2 of 3" in hints[0]
    assert "first step that goes astray" in hints[0]
    assert "passed none of the 3" in hints[1]
    assert "start afresh" in hints[1]
    # the error with its line
    assert "print(n + missing)" in hints[2].partition("Error:")[2]
    assert "NameError" in hints[2]
    assert "passed all 3" in hints[3]
    assert "judgment is Correct" in hints[3]


def test_a_revision_is_asked_for_in_the_words_of_an_evaluation(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    _, spy = spied(job_of(script(), tmp_path))
    call = next(
        question.call
        for question in spy.questions
        if question.call.turn == 1 and question.call.role == "generator"
    )
    assert [message.role for message in call.messages] == ["user", "assistant", "user"]
    assert call.messages[1].content.startswith("Here:")
    assert "draft 0 adds something else" in call.messages[2].content


def test_rl_rows_alone_need_no_critic(tmp_path: Path, script: Callable[..., str]) -> None:
    def none(problem: Problem, number: int) -> str:
        raise AssertionError

    wanted = Wanted(None, EpisodeSettings(), split="val")
    job = job_of(script(), tmp_path, recipe=Recipe(drafts=2, critiques=0), wanted=wanted)
    ended = run(job)
    assert ended.counts.asked == 6
    assert not (tmp_path / "sft.jsonl").exists()
    assert {episode.split for episode in episodes(tmp_path)} == {"val"}


# -- nothing twice


def test_the_same_run_again_asks_and_judges_nothing(
    tmp_path: Path, script: Callable[..., str]
) -> None:
    job = job_of(script(), tmp_path)
    first = run(job)
    files = {name: (tmp_path / name).read_bytes() for name in ("store.jsonl", "sft.jsonl")}
    rows = episodes(tmp_path)
    again = run(job)
    assert (first.counts.asked, first.counts.judged) == (18, 15)
    assert (again.counts.asked, again.counts.judged) == (0, 0)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    assert episodes(tmp_path) == rows


def test_a_program_that_comes_twice_is_judged_once(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    _, spy = spied(job_of(script(), tmp_path))
    judged = [(s.problem.id, s.program, s.all_cases) for s in spy.submissions]
    # once as a draft, on all cases, and once as a revision: that of the first draft is the fourth
    assert len(judged) == len(set(judged)) == 15
    assert len({(problem, program) for problem, program, _ in judged}) == 12


def test_what_determines_a_call_is_in_its_key(tmp_path: Path, script: Callable[..., str]) -> None:
    job = job_of(script(), tmp_path / "first")
    run(job)
    changes: list[tuple[dict[str, Any], int]] = [
        ({"seed": 2}, 18),
        ({"sampling": {"revision": Sampling(0.0), "draft": Sampling(0.5)}}, 12),
        ({"sampling": {}}, 3),
        ({"max_retries": 1, "in_flight": 3}, 0),
    ]
    for number, (change, asked) in enumerate(changes):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "first", folder)
        changed = replace(job, out=folder, spec=replace(job.spec, **change))
        ended = run(changed)
        assert (ended.counts.asked, ended.counts.judged) == (asked, 0), change


def test_another_model_answers_anew(tmp_path: Path, script: Callable[..., str]) -> None:
    job = job_of(script(), tmp_path)
    run(job)
    other = script(name="other.jsonl")
    with_critic = replace(job.spec, critic=ModelSpec(other))
    # the critiques, which say the same, so the revisions are asked for in the same words
    assert run(replace(job, spec=with_critic)).counts.asked == 3


# -- what is learnt


SELECTIONS: list[tuple[Selection, int, dict[str, int]]] = [
    (Selection(per_problem=9), 12, {}),
    (Selection(), 3, {"problem_has_enough": 9}),
    (Selection(per_problem=9, rejection=True), 9, {"revision_failed": 3}),
    (Selection(per_problem=9, agreeing=True), 6, {"contradicts_verdict": 3, "no_judgement": 3}),
    (Selection(per_problem=9, balance=True), 6, {"balance": 6}),
    (Selection(rejection=True), 3, {"revision_failed": 3, "problem_has_enough": 6}),
]


def test_other_rows_of_the_same_store_need_no_new_work(
    tmp_path: Path, script: Callable[..., str]
) -> None:
    verdicts = ("Correct", "Incorrect", "hard to say", "Correct")

    def critic(problem: Problem, number: int) -> str:
        return CRITIQUE.format(number=number, verdict=verdicts[number])

    def revise(problem: Problem, number: int) -> str:
        return BROKEN if number == 0 else right(problem)

    job = job_of(script(critic, revise), tmp_path, recipe=Recipe(critiques=4))
    run(job)
    for selection, rows, dropped in SELECTIONS:
        ended = run(replace(job, wanted=Wanted(selection, EpisodeSettings())))
        assert ended.counts.asked == ended.counts.judged == 0
        assert ended.report["sft"] == {"rows": rows, "dropped": dropped}, selection
        made = sft_rows(tmp_path)
        assert len(made) == rows
        if selection.balance:
            assert sum(row["info"]["draft_status"] == "accepted" for row in made) == 3


class WordTokenizer:
    """A token a word; a chat's is one more for each message."""

    name_or_path = "words"
    eos_token_id = 0

    def apply_chat_template(
        self, messages: list[dict[str, str]], *, add_generation_prompt: bool, **_: Any
    ) -> list[int]:
        ids: list[int] = []
        for message in messages:
            if message["role"] == "assistant":
                ids.append(1)
            ids += [len(word) + 1 for word in message["content"].split()]
            if message["role"] == "assistant":
                ids.append(self.eos_token_id)
        return [*ids, 1] if add_generation_prompt else ids


def test_rows_that_are_too_long_are_dropped_and_counted_and_never_cut(
    tmp_path: Path, script: Callable[..., str]
) -> None:
    def critic(problem: Problem, number: int) -> str:
        return plain_critic(problem, number) + " word" * (500 if problem.id == "add-2" else 0)

    wanted = Wanted(
        Selection(max_tokens=500), EpisodeSettings(), tokenizer=WordTokenizer(), max_prompt=10
    )
    ended = run(job_of(script(critic), tmp_path, wanted=wanted))
    assert ended.report["sft"] == {"rows": 2, "dropped": {"too_long": 1}}
    assert ended.report["rl"] == {"rows": 0, "dropped": {"too_long": 12}}
    assert not (tmp_path / "rl.parquet").exists()
    assert [row["info"]["task_id"] for row in sft_rows(tmp_path)] == ["add-1", "add-3"]


# -- leaks


def leaky_critic(problem: Problem, number: int) -> str:
    """The first problem's names the hint, the second's holds the solution, the third's is fine."""
    extra = {
        "add-1": "As the test run showed, it is wrong.",
        "add-2": f"Write this:\n\n```python\n{right(problem)}\n```",
        "add-3": "It is wrong for n = 1.",
    }[problem.id]
    return f"Analysis: it adds another number.\n{extra}\n\nOverall judgment: Incorrect"


def test_leaks_are_reported_and_kept_by_default(
    tmp_path: Path, script: Callable[..., str]
) -> None:
    ended = run(job_of(script(leaky_critic), tmp_path))
    assert ended.report["critiques"] == {
        "written": 3, "revised": 3, "name_the_hint": 1, "hold_a_program": 1,
        "hold_a_passing_program": 1,
    }  # fmt: skip
    infos = [row["info"] for row in sft_rows(tmp_path)]
    assert [info["names_hint"] for info in infos] == [True, False, False]
    assert [info["leaks_code"] for info in infos] == ["none", "passing", "none"]


def test_a_leak_check_that_fails_is_counted_and_loses_no_sample(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    job = job_of(script(leaky_critic), tmp_path)
    ended, _ = spied(job, judging=lambda submission: submission.bare)
    assert ended.left_out == ()
    assert ended.report["critiques"] == {
        "written": 3, "revised": 3, "name_the_hint": 1, "hold_a_program": 1,
        "hold_an_unjudged_program": 1,
    }  # fmt: skip
    assert [row["info"]["leaks_code"] for row in sft_rows(tmp_path)] == ["none", "unjudged", "none"]


def test_leaks_are_taken_out_before_the_revision(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    ended, spy = spied(job_of(script(leaky_critic), tmp_path, recipe=Recipe(leak="strip")))
    assert ended.report["critiques"]["stripped"] == 2
    learnt = [row["messages"][-1]["content"] for row in sft_rows(tmp_path)]
    read = [q.call.messages[-1].content for q in spy.questions
            if q.call.role == "generator" and q.call.turn == 1]  # fmt: skip
    assert len(learnt) == len(read) == 3
    for text in (*learnt, *read):
        assert "test run" not in text
        assert "int(input())" not in text
        assert "Overall judgment: Incorrect" in text


def test_leaking_critiques_can_be_left_out(tmp_path: Path, script: Callable[..., str]) -> None:
    ended = run(job_of(script(leaky_critic), tmp_path, recipe=Recipe(leak="drop")))
    assert ended.report["sft"] == {"rows": 1, "dropped": {"leak": 2}}
    assert ended.report["revisions"] == {"wrong_to_right": 1}
    assert ended.report["rl"]["rows"] == 12


def test_critiques_that_say_nothing_or_break_off_are_no_rows(
    tmp_path: Path, new_script: Callable[..., Any], script: Callable[..., str]
) -> None:
    model = script(lambda problem, _: "  " if problem.id == "add-1" else plain_critic(problem, 0))
    path = Path(model.removeprefix("scripted/"))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if row["sample_id"] == "add-2" and row["role"] == "critic":
            row["stop_reason"] = "max_tokens"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = run(job_of(model, tmp_path))
    assert ended.report["sft"] == {"rows": 1, "dropped": {"cut_off": 1, "empty": 1}}


# -- what fails


def test_a_failing_model_costs_its_samples_and_the_next_run_makes_them(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    job = job_of(script(), tmp_path / "disturbed")
    undisturbed = run(replace(job, out=tmp_path / "undisturbed"))

    def fails(question: Question) -> bool:
        is_draft = question.problem_id == "add-2" and question.draft_number == 2
        return is_draft or (question.problem_id == "add-3" and question.call.role == "critic")

    ended, _ = spied(job, asking=fails)
    assert ended.report["left_out"]["by_model"] == 2
    samples = ended.report["left_out"]["samples"]
    missing = {(s["problem_id"], s["number"], s["stage"]) for s in samples}
    assert missing == {("add-2", 2, "draft"), ("add-3", 0, "critique")}
    assert "429" in samples[0]["reason"]
    assert ended.report["sft"]["rows"] == 2
    assert ended.report["rl"]["rows"] == 11
    again, spy = spied(job)
    assert len(spy.questions) == again.counts.asked == 3
    assert again.left_out == ()
    assert again.report["sft"] == undisturbed.report["sft"]
    assert content(tmp_path / "disturbed") == content(tmp_path / "undisturbed")


def test_a_failing_judge_is_no_verdict_and_is_tried_again(
    tmp_path: Path, script: Callable[..., str], spied: Callable[..., tuple[Ended, Spy]]
) -> None:
    job = job_of(script(), tmp_path)
    ended, _ = spied(job, judging=lambda s: "missing" in s.program and s.problem.id == "add-1")
    assert ended.report["left_out"]["by_judge"] == 1
    assert ended.report["drafts"]["judged"] == ended.report["rl"]["rows"] == 11
    assert "run again" in ended.describe()
    again, _ = spied(job)
    assert (again.counts.asked, again.counts.judged) == (0, 1)
    assert again.report["rl"]["rows"] == 12


def test_nothing_but_failures_ends_the_run(
    tmp_path: Path,
    script: Callable[..., str],
    spied: Callable[..., tuple[Ended, Spy]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stored_work, "MAX_FAILURES_IN_A_ROW", 5)
    with pytest.raises(UserError, match="like the 4 pieces of work before it"):
        spied(job_of(script(), tmp_path), asking=lambda _: True)


def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nobody"):
        run(job_of("nobody/knows", tmp_path))
    with pytest.raises(UserError, match="cannot be read"):
        run(job_of(f"scripted/{tmp_path}/missing.jsonl", tmp_path))


def test_a_script_without_a_line_for_a_call_ends_the_run(
    tmp_path: Path, new_script: Callable[..., Any]
) -> None:
    lines = new_script()
    lines.line("add-1", "generator", 0, "no idea")
    with pytest.raises(UserError, match="has no line for sample"):
        run(job_of(lines.save(), tmp_path))
