"""`protocol=ctrl` asks what docs/protocols.md says: messages, settings, number of calls."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log, resolve_sample_attachments

from ctrl_harness.problems import open_dataset
from ctrl_harness.problems.catalog import load_problem_set
from ctrl_harness.problems.reference import ProblemSetReference
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.tasks.livecodebench import livecodebench
from ctrl_harness.tasks.mbppplus import mbppplus

EPOCHS, TURNS = 5, 5
CASES = [
    (codecontests, "sample_egg_cartons", "`codecontests`"),
    (livecodebench, "sample_counting_islands", "`livecodebench`, standard input"),
    (livecodebench, "sample_turning_wheel", "`livecodebench`, starter code"),
    (mbppplus, "Mbpp/9001", "`mbppplus`"),
]


@pytest.fixture(scope="module")
def words(root: Path) -> dict[str, str]:
    """The page's messages, by their headings."""
    page = (root / "docs" / "protocols.md").read_text(encoding="utf-8")
    return dict(re.findall(r"(?ms)^#### ([^\n]+)\n\n~~~~text\n(.*?)\n~~~~$", page))


@pytest.fixture(scope="module")
def sampled(root: Path) -> dict[str, tuple[str, ...]]:
    """The page's table of calls: what stands behind each kind."""
    page = (root / "docs" / "protocols.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (draft|critique|revision) \| (.+) \|$", page, re.MULTILINE)
    return {kind: tuple(rest.split(" | ")) for kind, rest in rows}


def calls_of(log: EvalLog) -> list[Any]:
    return [
        event
        for sample in log.samples or []
        for event in resolve_sample_attachments(sample, "full").events
        if event.event == "model"
    ]


def filled(text: str, **fields: str) -> str:
    for name, value in fields.items():
        text = text.replace(f"⟨{name.replace('_', ' ')}⟩", value)
    return text


@pytest.mark.parametrize(("make_task", "problem", "draft"), CASES)
def test_every_message_and_setting_is_as_stated(
    make_task, problem, draft, words, sampled, new_script, run_eval, executor
):
    script = new_script()
    for turn in range(TURNS + 1):
        script.line(problem, "generator", turn, f"No. {turn}:\n```python\nx = {turn}\n```\nDone.\n")
        verdict = "Correct" if turn % 2 else "Incorrect"
        script.line(
            problem, "critic", turn,
            f"<format>\nAnalysis:\nturn {turn}\n\nOverall judgment: {verdict}\n</format> bye",
        )  # fmt: skip
    task = make_task(source="samples", protocol="ctrl", executor=executor)
    log = run_eval(task, script.save(), sample_id=problem)
    assert log.status == "success", log.error
    assert log.eval.config.epochs == EPOCHS

    asked = load_problem_set(ProblemSetReference.from_json(log.eval.metadata["problem_set"]))
    fields = {
        "statement": asked[problem].statement,
        "starter_code": asked[problem].starter_code,
    }
    opening = ("user", filled(words[f"Draft: {draft}"], **fields))
    expected = [("draft", [opening])]
    for turn in range(1, TURNS + 1):
        answer = f"No. {turn - 1}:\n```python\nx = {turn - 1}\n```\nDone.\n"
        verdict = "Correct" if turn % 2 else "Incorrect"
        critique = f"Analysis:\nturn {turn}\n\nOverall judgment: {verdict}"
        review = filled(words["Critique"], program=f"x = {turn - 1}", **fields)
        expected.append(("critique", [("user", review)]))
        asks = filled(words["Revision"], critique=critique)
        expected.append(("revision", [opening, ("assistant", answer), ("user", asks)]))

    calls = calls_of(log)
    assert len(calls) == EPOCHS * len(expected) == 55
    for call, (kind, messages) in zip(calls, EPOCHS * expected, strict=True):
        assert [(message.role, message.text) for message in call.input] == messages
        config = call.config
        roles, *settings = sampled[kind]
        assert roles == ", ".join(role for role, _ in messages)
        penalty = config.extra_body["repetition_penalty"]
        found = (config.temperature, config.top_p, config.max_tokens, penalty)
        assert settings == [str(value) for value in found]
        assert config.extra_body == {"repetition_penalty": 1.05}
        assert config.seed is None
    roles = Counter((call.role or "generator") for call in calls)
    assert roles == {"generator": EPOCHS * (TURNS + 1), "critic": EPOCHS * TURNS}


@pytest.mark.parametrize(
    ("make_task", "options", "own"),
    [
        (codecontests, {"split": None, "tests": "first10"}, {"time_limit": "30"}),
        (
            livecodebench,
            {
                "release": "release_v4", "start": "2024-08-01", "end": "2024-11-01",
                "tests": "private",
            },
            {"time_limit": "30/total", "comparator": "sandbox_fusion_livecodebench"},
        ),
        (mbppplus, {"tests": "all"}, {"time_limit": "30/program"}),
    ],
)  # fmt: skip
def test_the_header_holds_rows_and_settings(make_task, options, own, executor):
    task = make_task(source="samples", protocol="ctrl", executor=executor)
    facts = task.metadata
    assert facts["problem_set"]["options"] == options
    assert facts["problem_set"].keys() == {"dataset", "source", "revision", "options"}
    assert (facts["protocol"], facts["changed"]) == ("ctrl", {})
    for key, value in {
        "turns": 5, "stop_at_correct": False, "extraction": "sandbox_fusion",
        "comparator": "sandbox_fusion", "temperature": 0.7, "revision_temperature": 0.0,
        "top_p": 0.8, "max_tokens": 1024, "repetition_penalty": 1.05, "history": "latest",
        "replay": "raw", **own,
    }.items():  # fmt: skip
        assert facts[key] == value
    assert re.fullmatch("[0-9a-f]{64}", facts["prompts_digest"])
    assert task.epochs == EPOCHS


def test_livecodebench_s_window_is_the_paper_s(executor):
    chosen = livecodebench(source="samples", protocol="ctrl", executor=executor).dataset
    days = {problem.id: problem.metadata["contest_date"] for problem in open_dataset(
        "livecodebench", "samples"
    )}  # fmt: skip
    # release_v4 ends before the window does
    assert {sample.id for sample in chosen} == {
        name for name, day in days.items() if "2024-08-01" <= day <= "2024-09-28"
    }


def test_a_setting_given_changes_the_protocol(executor):
    task = mbppplus(
        source="samples", protocol="ctrl", executor=executor, turns=1, temperature=None,
        comparator="evalplus", tests="public", epochs=2,
    )  # fmt: skip
    assert task.metadata["changed"] == {
        "turns": 1, "temperature": None, "comparator": "evalplus", "tests": "public", "epochs": 2,
    }  # fmt: skip
    assert task.epochs == 2
    assert task.metadata["revision_temperature"] == 0.0


PROMPTER = """
class Words:
    def get_gen_prompt(self, problem):
        return "write: " + problem
    def get_critique_prompt(self, problem, solution):
        return f"judge: {problem} / {solution}"
    def get_critique_with_exec_prompt(self, problem, solution, eval_res):
        raise NotImplementedError
    def get_revised_prompt_mt(self, critique):
        return critique.strip().upper()

def get_prompter(kind):
    return Words()
"""


def test_the_paper_s_own_prompts_come_from_the_user_s_checkout(
    tmp_path, new_script, inspect_cli, executor
):
    checkout = tmp_path / "critic-rl" / "ctrl" / "gen"
    checkout.mkdir(parents=True)
    (checkout / "prompt.py").write_text(PROMPTER)
    script = new_script()
    script.chain("sample_egg_cartons", ["print(1)", "print(2)"], ["incorrect"])
    done = inspect_cli(
        "eval", "tasks/codecontests.py", "--model", script.save(), "-T", "source=samples",
        "-T", "protocol=ctrl", "-T", "turns=1", "-T", f"prompts=critic-rl:{tmp_path}/critic-rl",
        "-T", f"executor={executor}", "--epochs", "1", "--sample-id", "sample_egg_cartons",
    )  # fmt: skip
    assert done.code == 0, done.text
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    assert log.eval.metadata["prompts"] == f"critic-rl:{tmp_path}/critic-rl"
    (sample,) = log.samples
    draft, critique, revision = ([m.text for m in call.input] for call in calls_of(log))
    answer = "Here:\n```python\nprint(1)\n```\n"
    assert draft == [f"write: {sample.input}"]
    assert critique == [f"judge: {sample.input} / {answer}"]
    said = "ANALYSIS: READ TWICE.\n\nOVERALL JUDGMENT: INCORRECT"
    assert revision == [draft[0], answer, said]
