"""`ctrl-harness compare`: the same drafts for every critic, once, and numbers that are paired."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.analysis.logs import read_chains
from ctrl_harness.analysis.summary import summarise
from ctrl_harness.analysis.tree_chains import outcomes_of_forest
from ctrl_harness.analysis.trees import read_forest
from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.evaluation.compare import compare_critics
from ctrl_harness.evaluation.compare_arms import ArmSpec, Request, parse_arms
from ctrl_harness.evaluation.compare_drafts import drafts_from
from ctrl_harness.evaluation.compare_read import check_same_drafts, read_arm
from ctrl_harness.evaluation.compare_run import make_task
from ctrl_harness.evaluation.frozen import read_drafts

PROBLEMS = 6


@pytest.fixture
def samples(sample_programs):
    return sample_programs("mbppplus")[:PROBLEMS]


def fenced(program: str) -> str:
    return f"```python\n{program}\n```\n"


@pytest.fixture
def model(new_script, samples) -> str:
    """Drafts right by turns; revisions right except where nothing was said to be wrong; what is
    drawn anew is longer and mostly wrong."""
    script = new_script("generator.jsonl")
    for row, programs in enumerate(samples):
        for epoch in (1, 2):
            right = (row + epoch) % 3 == 0
            draft = programs.right[0] if right else programs.wrong[0]
            script.line(programs.id, "generator", 0, fenced(draft), epoch, vote=0)
            verdict = "Correct" if right or row == 1 else "Incorrect"
            for turn in (1, 2):
                said = f"Read it twice.\n\nOverall judgment: {verdict}"
                script.line(programs.id, "critic", turn, said, epoch, vote=0)
                better = programs.right[0] if row % 2 else programs.wrong[0]
                script.line(programs.id, "generator", turn, fenced(better), epoch)
            for vote in range(1, 120):
                again = programs.right[0] if vote % 5 == 0 else programs.wrong[0]
                script.line(programs.id, "generator", 0, fenced(again), epoch, vote=vote)
                told = "Overall judgment: Incorrect"
                script.line(programs.id, "critic", 1, told, epoch, vote=vote)
    return script.save()


@pytest.fixture
def request_(model, executor) -> Request:
    return Request(
        "mbppplus", "samples", model,
        settings={"epochs": 2, "turns": 2, "executor": executor}, limit=PROBLEMS,
    )  # fmt: skip


CRITIC_FILE = '''
"""A critic of somebody else's."""
from ctrl_harness.critique.critic import Critique


def make(context):
    async def criticise(problem, draft):
        return Critique("It could be shorter.", "incorrect")

    return criticise
'''


@pytest.fixture
def arms(tmp_path: Path) -> list[ArmSpec]:
    path = tmp_path / "their_critic.py"
    path.write_text(CRITIC_FILE)
    return parse_arms(["model", "execution", "none", f"theirs={path}:make"])


def told(outcome: Any) -> dict[str, Any]:
    """What the report's JSON says."""
    from ctrl_harness.analysis.comparison_report import as_json

    return as_json(outcome.report)


@pytest.mark.slow
def test_four_critics_on_the_same_drafts(request_, arms, executor, tmp_path):
    out = tmp_path / "out"
    outcome = compare_critics(request_, arms, out, draws=200)
    found = told(outcome)
    assert list(found["numbers"]) == ["model", "execution", "theirs"]
    assert (found["pairs"], found["problems"]) == (2 * PROBLEMS, PROBLEMS)
    drafts = [numbers["pass_at_1_turn_0"]["value"] for numbers in found["numbers"].values()]
    # by hand: of rows 0 to 5 and epochs 1, 2 the drafts with (row + epoch) % 3 == 0 are right
    assert drafts == [pytest.approx(4 / 12)] * 3
    assert found["numbers"]["model"]["pass_at_1_turn_2"]["value"] == 0.5
    assert found["numbers"]["execution"]["cl"]["n"] == 4
    assert len(found["differences"]) == 3 * 4  # pairs of critics times tested figures
    assert all(d["p_holm"] >= d["p_value"] for d in found["differences"])
    assert found["controls"]["none"]["arm"] == "model"
    assert outcome.complete, found["notes"]
    for reading in found["controls"]["none"]["readings"]:
        assert abs(reading["tokens_of_arm"] - 1) <= 0.05
    assert found["spent"]["execution"]["critic_tokens"] == 0 < found["spent"]["model"][
        "critic_tokens"
    ]
    text = (out / "comparison.txt").read_text()
    for word in ("Pass@1, draft", "Δ↑ without those", "similarity", "p, Holm", "oracle bound"):
        assert word in text
    rows = list(csv.DictReader((out / "comparison.csv").open()))
    assert {row["critic"] for row in rows} == {"model", "execution", "theirs", "none"}
    assert json.loads((out / "comparison.json").read_text()) == found

    # a critic that comes later reads the same drafts; what was there is not run again
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.eval")}
    later = [*arms, ArmSpec("late", "model+execution")]
    again = told(compare_critics(request_, later, out, draws=200))
    assert again["numbers"]["late"]["pass_at_1_turn_0"]["value"] == pytest.approx(4 / 12)
    assert again["numbers"]["model"] == found["numbers"]["model"]
    assert again["controls"] == found["controls"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list(out.rglob("*.eval"))) == len(before) + 1

    # each arm's tree tells what its log tells
    (log,) = (out / "logs" / "model").glob("*.eval")
    of_tree = outcomes_of_forest(read_forest(out / "trees" / "model.jsonl"))
    of_log = [chain.outcome for chain in read_chains(log)]
    key = [(o.problem, o.epoch) for o in of_log]
    by_key = {(o.problem, o.epoch): o for o in of_tree.outcomes}
    assert [by_key[k] for k in key] == of_log
    assert repr(summarise([by_key[k] for k in key])) == repr(summarise(of_log))

    # drafts from that log, or from that tree, are those drafts
    frozen = read_drafts(out / "drafts.jsonl")
    task = make_task("mbppplus", source="samples", executor=executor, revision_temperature=0.0)
    for origin in (log, out / "trees" / "model.jsonl"):
        assert drafts_from(origin, request_, task, None).digest == frozen.digest
    assert len(drafts_from(log, request_, task, 2)) == 4  # two problems, two epochs

    # and a critic that was handed another draft is found out
    arm = read_arm(arms[0], log, frozen)
    other = read_arm(arms[1], next((out / "logs" / "execution").glob("*.eval")), frozen)
    assert check_same_drafts([arm, other]) == 2 * PROBLEMS
    other.chains[3].metadata["ctrl_harness:draft_seen"] = "0" * 64
    with pytest.raises(JudgeError, match="were handed different drafts"):
        check_same_drafts([arm, other])


@pytest.mark.slow
def test_a_comparison_may_begin_with_a_tree(request_, tmp_path, samples):
    tree = tmp_path / "tree.jsonl"
    nodes = []
    for row, programs in enumerate(samples):
        root = {"task_id": f"mbppplus/test/{row}", "hash": f"r{row}", "node_type": "root"}
        nodes.append({**root, "prev_hash": None})
        for epoch, answer in enumerate((programs.wrong[0], programs.right[0])):
            nodes.append({**root, "hash": f"g{row}{epoch}", "node_type": "generation",
                          "prev_hash": f"r{row}", "solution": fenced(answer)})  # fmt: skip
    tree.write_text("".join(json.dumps(node) + "\n" for node in nodes))
    taken = Request(**{**vars_of(request_), "drafts": str(tree)})
    arms = parse_arms(["model", "execution"])
    found = told(compare_critics(taken, arms, tmp_path / "out", draws=100))
    assert found["pairs"] == 2 * PROBLEMS
    for numbers in found["numbers"].values():
        assert numbers["pass_at_1_turn_0"]["value"] == 0.5
    assert "tree tree.jsonl" in found["notes"][0]


def vars_of(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in Request.__dataclass_fields__}


# -- killed


SLOW = '''
"""A critic that counts its calls in a file, and takes its time."""
import anyio
from ctrl_harness.critique.critic import Critique


def make(context):
    async def criticise(problem, draft):
        with open("{calls}", "a") as file:
            file.write(f"{{problem.id}} {{draft.turn}}\\n")
        await anyio.sleep(0.4)
        return Critique("Look again.", "incorrect")

    return criticise
'''


@pytest.mark.slow
def test_killed_half_way_it_goes_on_and_repeats_nothing_that_was_done(
    model, executor, tmp_path, samples
):
    calls, critic, out = tmp_path / "calls", tmp_path / "slow.py", tmp_path / "out"
    calls.touch()
    critic.write_text(SLOW.format(calls=calls))
    command = [
        sys.executable, "-m", "ctrl_harness.cli.main", "compare", "mbppplus", "--source", "samples",
        "--model", model, "--critic", f"slow={critic}:make", "--critic", "model", "--turns", "2",
        "--epochs", "2", "--limit", str(PROBLEMS), "--out", str(out), "--max-samples", "2",
        "--executor", executor, "--draws", "100",
    ]  # fmt: skip
    entry = "from ctrl_harness.cli.main import run; run()"
    command[1:3] = ["-c", entry]
    first = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while len(calls.read_text().splitlines()) < 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    done_before = len(calls.read_text().splitlines())
    assert 10 <= done_before < 4 * PROBLEMS
    second = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert second.returncode == 0, second.stderr
    # 12 chains of two critiques; of the two samples in flight at most two critiques each come again
    assert 4 * PROBLEMS <= len(calls.read_text().splitlines()) <= 4 * PROBLEMS + 4
    # and of a model not one call is made twice: each chain has two revisions, each problem a draft
    found = json.loads((out / "comparison.json").read_text())
    assert (found["pairs"], found["unjudged"]) == (2 * PROBLEMS, {"slow": {}, "model": {}})
    cached = [path for path in (out / "cache").rglob("*") if path.is_file()]
    # drafts, two revisions of the slow critic's chains, two critiques and revisions of the model's
    assert len(cached) == 2 * PROBLEMS * (1 + 2 + 4)


# -- bad input


def test_arms_are_typed_in_one_form():
    arms = parse_arms(
        ["model", "gpt=model,model=openai/gpt-4o,votes=3", "a/b,c.py:make", "http:http://x/?a=b,c",
         "execution,feedback_tests=judged", "none", "none2=none,arm=gpt"]
    )  # fmt: skip
    assert [(arm.name, arm.critic, arm.model, arm.votes, arm.arm) for arm in arms] == [
        ("model", "model", None, None, None),
        ("gpt", "model", "openai/gpt-4o", 3, None),
        ("a/b,c.py:make", "a/b,c.py:make", None, None, None),
        ("http:http://x/?a=b,c", "http:http://x/?a=b,c", None, None, None),
        ("execution", "execution", None, None, None),
        ("none", "none", None, None, "model"),
        ("none2", "none", None, None, "gpt"),
    ]
    assert arms[4].feedback_tests == "judged"


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["model", "model"], "two arms are called 'model'; name them"),
        (["none"], "there is no critic to compare"),
        (["model", "none,arm=other"], "arm=other is none of the critics model"),
        (["model,votes=x"], "votes is 'x'"),
        (["model,arm=x"], "arm= is for the control"),
        (["model", "none,votes=3"], "takes all but its arm from that arm"),
        (["a=,votes=3"], "is not .NAME=.CRITIC"),
    ],
)
def test_what_is_no_arm_is_a_sentence(texts, says):
    with pytest.raises(UserError, match=says):
        parse_arms(texts)


@pytest.fixture
def other_log(new_script, run_eval, executor, sample_programs) -> str:
    from ctrl_harness.tasks.codecontests import codecontests

    programs = sample_programs("codecontests")[0]
    script = new_script("other.jsonl")
    script.chain(programs.id, [programs.right[0]])
    log = run_eval(
        codecontests(source="samples", executor=executor, turns=0), script.save(),
        sample_id=programs.id,
    )  # fmt: skip
    return str(log.location)


def test_drafts_that_cannot_be_taken_are_a_sentence(request_, arms, tmp_path, other_log, samples):
    tree = tmp_path / "tree.jsonl"
    root = {"task_id": "unknown", "hash": "a", "node_type": "root", "prev_hash": None}
    draft = {**root, "hash": "b", "node_type": "generation", "prev_hash": "a", "solution": "x"}
    tree.write_text("".join(json.dumps(node) + "\n" for node in (root, draft)))
    cut = tmp_path / "cut.jsonl"
    cut.write_text(tree.read_text()[:-9])
    damaged = tmp_path / "damaged.eval"
    damaged.write_bytes(Path(other_log).read_bytes()[:-200])
    for number, (path, says) in enumerate(
        [
            (other_log, "is a log of codecontests, not of mbppplus"),
            (str(tree), "none of the 0 drafts of .* is of the problems of mbppplus"),
            (str(cut), "line 2 of .* is no JSON, perhaps cut off"),
            (str(damaged), "is not an Inspect log"),
            (str(tmp_path / "none.eval"), "is not an Inspect log"),
        ]
    ):
        taken = Request(**{**vars_of(request_), "drafts": path})
        with pytest.raises(UserError, match=says):
            compare_critics(taken, arms, tmp_path / f"out{number}", draws=100)


def test_a_folder_holds_one_comparison(request_, tmp_path):
    arms = [ArmSpec("model", "model")]
    out = tmp_path / "out"
    out.mkdir()
    told = {"request": request_.as_json(), "arms": {"model": arms[0].as_json()}}
    (out / "request.json").write_text(json.dumps(told))
    other = Request(**{**vars_of(request_), "source": "hub", "limit": 3})
    with pytest.raises(UserError, match="another source and limit"):
        compare_critics(other, arms, out)
    with pytest.raises(UserError, match="another arm model"):
        compare_critics(request_, [ArmSpec("model", "execution")], out)


def test_drafts_of_another_protocol_are_refused_unless_told(
    request_, run_eval, executor, model, samples, tmp_path
):
    from ctrl_harness.tasks.mbppplus import mbppplus

    made = mbppplus(source="samples", protocol="ctrl", executor=executor, turns=0, epochs=1)
    log = run_eval(made, model, sample_id=samples[0].id)
    path = Path(log.location)
    task = mbppplus(source="samples", executor=executor, turns=2, revision_temperature=0.0)
    with pytest.raises(UserError, match=r"were made with the protocol ctrl, .* or --mix-protocols"):
        drafts_from(path, request_, task, None)
    mixed = Request(**{**vars_of(request_), "mix_protocols": True})
    assert [draft.problem for draft in drafts_from(path, mixed, task, None)] == [samples[0].id]
    # what concerns revisions alone makes no other drafts
    made = mbppplus(source="samples", executor=executor, turns=0, history="full")
    log = run_eval(made, model, sample_id=samples[0].id)
    assert len(drafts_from(Path(log.location), request_, task, None)) == 1


RAISING = '''
from ctrl_harness.critique.critic import Critique


def make(context):
    async def criticise(problem, draft):
        if problem.id in {broken!r}:
            raise ValueError("no idea")
        return Critique("Look again.", "incorrect")

    return criticise
'''


@pytest.mark.slow
def test_what_a_critic_fails_at_is_counted_and_tried_again(
    harness_cli, model, executor, samples, tmp_path
):
    critic = tmp_path / "raising.py"

    def run() -> Any:
        return harness_cli(
            "compare", "mbppplus", "--source", "samples", "--model", model, "--critic",
            f"bad={critic}:make", "--critic", "execution", "--limit", "3", "--out", "out",
            "--executor", executor, "--draws", "100", "--format", "json",
        )  # fmt: skip

    critic.write_text(RAISING.format(broken=[samples[1].id]))
    done = run()
    assert done.code == 1, done.text
    found = json.loads(done.stdout)
    assert (found["pairs"], found["left_out"]) == (2, {"bad": 0, "execution": 1})
    ((reason, count),) = found["unjudged"]["bad"].items()
    assert count == 1 and "no idea" in reason
    critic.write_text(RAISING.format(broken=[]))
    done = run()
    assert done.code == 0, done.text
    assert json.loads(done.stdout)["pairs"] == 3
