"""Our tasks in lm-eval: its own evaluator and command line, with answers that a file holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

lm_eval = pytest.importorskip("lm_eval", reason="needs the extra `lm-eval`")

from lm_eval.tasks import TaskManager  # noqa: E402

from ctrl_harness.errors import JudgeError, UserError  # noqa: E402
from ctrl_harness.plugins.lm_eval import program_tasks  # noqa: E402
from ctrl_harness.plugins.lm_eval.command import TASKS, register_models  # noqa: E402
from ctrl_harness.plugins.lm_eval.judging import close_judges  # noqa: E402
from ctrl_harness.plugins.lm_eval.recorded import RecordedLM, fenced  # noqa: E402

PROGRAMS = ("codecontests", "livecodebench", "mbppplus")
HEADLINE = {"codecontests": "pass_at_1", "livecodebench": "pass_at_1", "mbppplus": "pass_at_1_plus"}
PUBLISHED = {  # percent: overall, knowledge, reasoning, math, coding
    "Skywork_Skywork-Reward-Gemma-2-27B": (64.29, 59.74, 66.33, 83.93, 50.00),
    "Skywork_Skywork-Reward-Llama-3.1-8B": (62.29, 59.09, 64.29, 76.79, 50.00),
    "internlm_internlm2-20b-reward": (63.43, 62.34, 69.39, 66.07, 50.00),
    "Ray2333_GRM-Gemma-2B-rewardmodel-ft": (59.43, 62.99, 53.06, 64.29, 54.76),
}


@pytest.fixture(scope="module", autouse=True)
def known_models() -> Iterator[None]:
    register_models()
    yield
    close_judges()


@pytest.fixture(autouse=True)
def no_failures_of_others() -> None:
    program_tasks.failures.clear()


@pytest.fixture
def record(tmp_path: Path) -> Callable[[Iterable[dict[str, Any]]], str]:
    """Writes the lines of a file of recorded answers; the model arguments that name it."""

    def write(rows: Iterable[dict[str, Any]]) -> str:
        path = tmp_path / "recorded.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return f"recorded={path}"

    return write


def evaluate(task: str, model_args: str, model: str = "ctrl-recorded", **settings: Any) -> Any:
    """lm-eval's own evaluation of one task; `metadata` says where the rows are."""
    metadata = {"source": "samples", **settings.pop("metadata", {})}
    manager = TaskManager(include_path=[str(TASKS)], include_defaults=False, metadata=metadata)
    return lm_eval.simple_evaluate(
        model=model,
        model_args=model_args,
        tasks=[task],
        task_manager=manager,
        bootstrap_iters=0,
        confirm_run_unsafe_code=settings.pop("confirm_run_unsafe_code", True),
        **settings,
    )


def programs_as_rows(programs: Iterable[Any], right: bool) -> list[dict[str, str]]:
    return [
        {"id": p.id, "program": (p.right if right else p.wrong)[0]}
        for p in programs
        if (p.right if right else p.wrong)
    ]


# -- programs


@pytest.mark.parametrize("dataset", PROGRAMS)
def test_right_programs_pass_and_wrong_ones_do_not(dataset, sample_programs, record):
    programs = sample_programs(dataset)
    for right in (True, False):
        rows = programs_as_rows(programs, right)
        known = {row["id"] for row in rows}
        rows += [{"id": p.id, "completion": "I give up."} for p in programs if p.id not in known]
        samples = evaluate(f"ctrl_{dataset}", record(rows))["samples"][f"ctrl_{dataset}"]
        scores = {s["doc"]["id"]: s[HEADLINE[dataset]] for s in samples}
        assert len(scores) == len(programs)
        assert scores == {name: float(right and name in known) for name in scores}


def test_mbppplus_reports_base_and_plus_apart(record, sample_rows, sample_programs):
    """A program that knows the asserts of test_list and nothing else passes base alone."""
    from ctrl_harness.problems import mbppplus

    problem = mbppplus.load("samples")[f"Mbpp/{sample_rows('mbppplus')[0]['task_id']}"]
    table = {repr(case.args): case.expected for case in problem.public_cases}
    name = problem.public_cases[0].function
    memorised = f"def {name}(*args):\n    return {table!r}[repr(args)]\n"
    right = {p.id: p.right[0] for p in sample_programs("mbppplus")}
    rows = [
        {"id": name, "program": memorised if name == problem.id else program}
        for name, program in right.items()
    ]
    results = evaluate("ctrl_mbppplus", record(rows))
    scores = {s["doc"]["id"]: s for s in results["samples"]["ctrl_mbppplus"]}
    assert scores[problem.id]["pass_at_1_base"] == 1
    assert scores[problem.id]["pass_at_1_plus"] == 0
    n = len(right)
    assert results["results"]["ctrl_mbppplus"]["pass_at_1_base,none"] == 1
    assert results["results"]["ctrl_mbppplus"]["pass_at_1_plus,none"] == pytest.approx((n - 1) / n)


@pytest.mark.parametrize("dataset", PROGRAMS)
def test_no_test_stands_in_the_sample_log(dataset, record, sample_programs):
    rows = programs_as_rows(sample_programs(dataset), True)
    results = evaluate(f"ctrl_{dataset}", record(rows))
    from ctrl_harness.problems.catalog import open_dataset

    log = json.dumps(results["samples"], default=str)
    for summary in open_dataset(dataset, "samples"):
        problem = open_dataset(dataset, "samples")[summary.id]
        assert problem.digest() in log
        for case in problem.cases:
            given = str(getattr(case, "stdin", "") or getattr(case, "args", ""))
            shown = case in problem.public_cases or len(given) < 12 or given in summary.statement
            assert shown or json.dumps(given)[1:-1] not in log


def test_repeats_are_all_judged(record, sample_programs, tmp_path):
    programs = sample_programs("codecontests")
    rows = [
        {"id": p.id, "program": program}
        for p in programs
        for program in (p.right[0], p.right[0], "print('no')", "print('no')")
    ]
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        f"include: {TASKS}/ctrl_codecontests.yaml\ntask: mine\nrepeats: 4\n"
        "dataset_kwargs:\n  source: samples\n"
    )
    manager = TaskManager(include_path=[str(folder)], include_defaults=False)
    results = lm_eval.simple_evaluate(
        "ctrl-recorded", record(rows), tasks=["mine"], task_manager=manager, bootstrap_iters=0,
        confirm_run_unsafe_code=True,
    )  # fmt: skip
    assert results["results"]["mine"]["pass_at_1,none"] == 0.5


def test_answers_alone_are_not_judged(record, sample_programs):
    rows = programs_as_rows(sample_programs("mbppplus"), True)
    results = evaluate("ctrl_mbppplus", record(rows), predict_only=True, limit=2)
    assert results["results"]["ctrl_mbppplus"]["bypass,none"] == 999


def test_lm_eval_asks_for_its_word_on_unsafe_code(record):
    """They run what a model wrote, in a sandbox or not; JudgeBench does not."""
    line = record([{"id": "x", "completion": "x"}])
    with pytest.raises(ValueError, match="marked as unsafe"):
        evaluate("ctrl_mbppplus", line, confirm_run_unsafe_code=False)


def test_the_word_on_unsafe_code_takes_no_isolation_away(record):
    with pytest.raises(UserError, match="unsafe-no-isolation"):
        evaluate("ctrl_mbppplus", record([{"id": "x", "completion": "x"}]),
                 metadata={"executor": "process"})  # fmt: skip


def test_the_judges_failure_is_no_score(record, sample_programs, monkeypatch):
    """The problem is left out of every number and counted; the run ends with an error."""
    from ctrl_harness.verification.judge import Judge

    programs = sample_programs("codecontests")
    broken = programs[0].id
    verify = Judge.verify

    async def fail_on_one(self, problem, program, *, bare=False):
        if problem.id == broken:
            raise JudgeError("the disk is full")
        return await verify(self, problem, program, bare=bare)

    monkeypatch.setattr(Judge, "verify", fail_on_one)
    results = evaluate("ctrl_codecontests", record(programs_as_rows(programs, True)))
    numbers = results["results"]["ctrl_codecontests"]
    assert numbers["judge_errors,none"] == 1
    assert numbers["pass_at_1,none"] == 1.0, "over the others alone"
    (left_out,) = (
        s for s in results["samples"]["ctrl_codecontests"] if s["doc"]["id"] == broken
    )
    assert "pass_at_1" not in left_out
    with pytest.raises(JudgeError, match=f"1 problems are in no number.*{broken}.*disk is full"):
        program_tasks.raise_failures()
    program_tasks.raise_failures()  # told once


def test_a_judge_that_never_works_leaves_no_number(record, sample_programs, monkeypatch):
    from ctrl_harness.verification.judge import Judge

    verify = Judge.verify

    async def fail(self, problem, program, *, bare=False):
        if problem.id == "echo":
            return await verify(self, problem, program, bare=bare)
        raise JudgeError("no")

    monkeypatch.setattr(Judge, "verify", fail)
    results = evaluate("ctrl_mbppplus", record(programs_as_rows(sample_programs("mbppplus"), True)))
    assert not any("pass_at_1" in key for key in results["results"]["ctrl_mbppplus"])


@pytest.mark.parametrize(
    ("task", "metadata", "message"),
    [
        ("ctrl_mbppplus", {"source": "/nowhere"}, "no file or folder '/nowhere'"),
        ("ctrl_mbppplus", {"ctrl_mbppplus": {"sorce": "samples"}}, "there is no 'sorce'"),
        ("ctrl_mbppplus", {"ctrl_mbppplus": {"tests": "public"}}, "there is no 'tests'"),
        ("ctrl_mbppplus", {"protocol": "mine"}, "unknown protocol 'mine'"),
        ("ctrl_codecontests", {"split": "dev"}, "split=dev is unknown"),
        ("ctrl_codecontests", {"extraction": "third"}, "unknown extraction 'third'"),
        ("ctrl_judgebench", {"mode": "both"}, "mode is 'both'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(task, metadata, message, record):
    with pytest.raises(UserError, match=message):
        evaluate(task, record([{"id": "x", "completion": "x"}]), metadata=metadata)


def test_a_protocol_is_the_inspect_tasks_own(record, sample_programs):
    rows = programs_as_rows(sample_programs("codecontests"), True)
    results = evaluate("ctrl_codecontests", record(rows), metadata={"protocol": "ctrl"}, limit=1)
    config = results["configs"]["ctrl_codecontests"]
    assert config["repeats"] == 5
    asked = config["generation_kwargs"]
    assert (asked["temperature"], asked["top_p"], asked["max_gen_toks"]) == (0.7, 0.8, 1024)
    facts = config["metadata"]["ctrl_harness"]
    assert (facts["protocol"], facts["extraction"]) == ("ctrl", "sandbox_fusion")
    assert facts["problem_set"]["options"]["tests"] == "first10"


# -- JudgeBench


def decisions_of(pairs: Iterable[Any], judge: Callable[[Any], list[str]]) -> list[dict[str, Any]]:
    return [{"pair_id": pair.id, "decisions": judge(pair)} for pair in pairs]


def test_judgebench_counts_as_the_official_score_does(record):
    from ctrl_harness.problems.judgebench import load_pairs

    pairs = load_pairs("samples")
    swapped = {"A>B": "B>A", "B>A": "A>B"}
    rows = decisions_of(pairs, lambda pair: [pair.label, swapped[pair.label]])
    right = evaluate("ctrl_judgebench", record(rows))
    numbers = right["results"]["ctrl_judgebench"]
    assert numbers["accuracy,none"] == 1
    assert numbers["inconsistent,none"] == numbers["missing_decisions,none"] == 0
    first = evaluate("ctrl_judgebench", record(decisions_of(pairs, lambda p: ["A>B", "A>B"])))
    numbers = first["results"]["ctrl_judgebench"]
    assert numbers["accuracy,none"] == 0, "a tie is wrong"
    assert (numbers["position_bias,none"], numbers["tied,none"]) == (1, 1)
    assert numbers["accuracy_ties_half,none"] == 0.5


def test_judgebench_pointwise_counts_votes(record):
    from ctrl_harness.problems.judgebench import load_pairs

    def line(pair: Any, turn: int, judgement: str) -> dict[str, Any]:
        text = f"Overall judgment: {judgement}"
        return {"sample_id": pair.id, "role": "generator", "turn": turn, "output": text}

    rows = []
    for pair in load_pairs("samples"):
        better = 0 if pair.label == "A>B" else 1
        for said in ("Correct", "Incorrect", "Correct"):
            rows.append(line(pair, better, said))
            rows.append(line(pair, 1 - better, "Correct" if said == "Incorrect" else "Incorrect"))
    results = evaluate("ctrl_judgebench", record(rows), metadata={"mode": "pointwise", "votes": 3})
    numbers = results["results"]["ctrl_judgebench"]
    assert (numbers["accuracy,none"], numbers["tied,none"]) == (1, 0)


@pytest.mark.parametrize("judge", PUBLISHED)
def test_the_published_accuracies_come_out_of_the_stored_decisions(judge, real_data):
    folder = real_data / "judgebench"
    rows = folder / "dataset=judgebench,response_model=gpt-4o-2024-05-13.jsonl.gz"
    decisions = folder / "published_judge_decisions" / f"{judge}.jsonl"
    results = evaluate("ctrl_judgebench", f"recorded={decisions}", metadata={"source": str(rows)})
    assert len(results["samples"]["ctrl_judgebench"]) == 350
    numbers = results["results"]["ctrl_judgebench"]
    names = ("accuracy", *(f"accuracy_{c}" for c in ("knowledge", "reasoning", "math", "coding")))
    assert tuple(round(100 * numbers[f"{name},none"], 2) for name in names) == PUBLISHED[judge]


# -- recorded answers


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "holds no answer"),
        ("{", "line 1 of .* is not JSON"),
        ("[1]", "line 1 of .* has no id"),
        ('{"id": "a"}', "line 1 of .* has no answer"),
        ('{"completion": "a"}', "line 1 of .* has no id"),
    ],
)
def test_a_file_that_holds_no_answers_is_refused(line, message, tmp_path):
    path = tmp_path / "recorded.jsonl"
    path.write_text(line)
    with pytest.raises(UserError, match=message):
        RecordedLM(recorded=str(path))


def test_an_answer_that_is_not_recorded_is_an_error_and_not_an_empty_answer(record):
    with pytest.raises(UserError, match="has no answer number 1"):
        evaluate("ctrl_mbppplus", record([{"id": "Mbpp/1", "completion": "x"}]), limit=1)


def test_a_program_with_fences_in_it_is_found_whole():
    from ctrl_harness.verification.extraction import first_fence

    program = 'TEXT = """\n```python\nprint(1)\n```\n"""'
    assert first_fence(fenced(program)) == program + "\n"


# -- the command line


def test_the_command_line_runs_all_four_tasks(harness_cli, record, sample_programs, tmp_path):
    from ctrl_harness.problems.judgebench import load_pairs

    rows = [row for name in PROGRAMS for row in programs_as_rows(sample_programs(name), True)]
    known = {row["id"] for row in rows}
    for name in PROGRAMS:
        rows += [
            {"id": p.id, "completion": "I give up."}
            for p in sample_programs(name)
            if p.id not in known
        ]
    rows += decisions_of(load_pairs("samples"), lambda pair: [pair.label, "A=B"])
    done = harness_cli(
        "lm-eval", "run", "--model", "ctrl-recorded", "--model_args", record(rows),
        "--tasks", "ctrl_codecontests,ctrl_livecodebench,ctrl_mbppplus,ctrl_judgebench",
        "--metadata", "source=samples", "--confirm_run_unsafe_code", "--log_samples",
        "--output_path", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 0, done.text
    (written,) = (tmp_path / "out").rglob("results_*.json")
    results = json.loads(written.read_text())["results"]
    assert results["ctrl_codecontests"]["pass_at_1,none"] == 1
    assert results["ctrl_mbppplus"]["pass_at_1_base,none"] == 1
    assert results["ctrl_mbppplus"]["pass_at_1_plus,none"] == 1
    assert results["ctrl_judgebench"]["accuracy,none"] == 1
    assert all(f"ctrl_{name}" in done.stdout for name in (*PROGRAMS, "judgebench"))
    assert len(list((tmp_path / "out").rglob("samples_ctrl_*.jsonl"))) == 4


def test_the_command_line_ends_in_one_line_for_a_users_mistake(harness_cli, record):
    done = harness_cli(
        "lm-eval", "run", "--model", "ctrl-recorded", "--model_args",
        record([{"id": "x", "completion": "x"}]), "--tasks", "ctrl_mbppplus",
        "--metadata", "source=/nowhere", "--confirm_run_unsafe_code",
    )  # fmt: skip
    assert done.code == 1
    assert done.stderr.splitlines()[-1].startswith("ctrl-harness: no file or folder '/nowhere'")
    assert "Traceback" not in done.text


def labelled_completions(real_data: Path) -> list[dict[str, str]]:
    """378 programs for MBPP+ with EvalPlus's base_status and plus_status."""
    path = next((real_data / "mbppplus").glob("completions_*.jsonl.gz"))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def labelled_solutions(real_data: Path) -> list[dict[str, str]]:
    """165 programs for CodeContests with the status that their runs had."""
    path = next((real_data / "code_contests").glob("model_solutions_*.jsonl"))
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("limit", [4, pytest.param(None, marks=pytest.mark.slow)])
def test_the_command_line_runs_on_real_rows(limit, real_data, harness_cli, record, tmp_path):
    mbpp, contests = labelled_completions(real_data), labelled_solutions(real_data)
    rows = [{"id": row["task_id"], "program": row["solution"]} for row in mbpp]
    rows += [{"id": row["name"], "program": row["solution"]} for row in contests]
    metadata = {
        "ctrl_mbppplus": {"source": str(real_data / "mbppplus" / "MbppPlus-OriginFmt.jsonl.gz")},
        "ctrl_codecontests": {
            "source": str(real_data / "code_contests" / "code_contests_test165_reassembled.jsonl")
        },
    }
    done = harness_cli(
        "lm-eval", "run", "--model", "ctrl-recorded", "--model_args", record(rows),
        "--tasks", "ctrl_mbppplus", "ctrl_codecontests", "--metadata", json.dumps(metadata),
        "--confirm_run_unsafe_code", "--log_samples", "--output_path", tmp_path / "out",
        *(() if limit is None else ("--limit", limit)),
    )  # fmt: skip
    assert done.code == 0, done.text
    (written,) = (tmp_path / "out").rglob("results_*.json")
    results = json.loads(written.read_text())
    counts = {name: n["effective"] for name, n in results["n-samples"].items()}
    assert counts == {"ctrl_mbppplus": limit or 378, "ctrl_codecontests": limit or 165}
    numbers = {**results["results"]["ctrl_mbppplus"], **results["results"]["ctrl_codecontests"]}
    assert numbers["judge_errors,none"] == 0
    if limit is None:
        share = {k: sum(row[f"{k}_status"] == "pass" for row in mbpp) for k in ("base", "plus")}
        # a program at the edge of its time may fall to either side
        assert numbers["pass_at_1_base,none"] == pytest.approx(share["base"] / 378, abs=2.5 / 378)
        assert numbers["pass_at_1_plus,none"] == pytest.approx(share["plus"] / 378, abs=2.5 / 378)
        passed = sum(row["status"] == "passed" for row in contests)
        # some labels are wrong: no special checkers (README of the rows)
        assert numbers["pass_at_1,none"] == pytest.approx(passed / 165, abs=5 / 165)


# -- the same verdicts as Inspect


def verdicts_in_inspect(run_eval: Any, script: Any, task: Any, completions: dict[str, str]) -> Any:
    """Status of each draft, by the Inspect task."""
    for name, completion in completions.items():
        script.line(name, "generator", 0, completion)
    log = run_eval(task, script.save(), sample_id=list(completions))
    assert log.status == "success", log.error
    told = {s.id: s.scores["chain_verdicts"].metadata["verdicts"] for s in log.samples}
    return {name: verdicts[0]["status"] for name, verdicts in told.items()}


def verdicts_in_lm_eval(dataset: str, recorded: str, source: str) -> dict[str, str]:
    """Status of each answer, by the task's own judging."""
    metadata = {"source": source}
    manager = TaskManager(include_path=[str(TASKS)], include_defaults=False, metadata=metadata)
    (task,) = manager.load([f"ctrl_{dataset}"])["tasks"].values()
    results = lm_eval.simple_evaluate(
        "ctrl-recorded", recorded, tasks=[task], task_manager=manager, bootstrap_iters=0,
        confirm_run_unsafe_code=True,
    )  # fmt: skip
    first = next(iter(task.judged_on))
    found = {a.problem: v[first].status for a, v in task.judged.verdicts.items()}
    samples = results["samples"][f"ctrl_{dataset}"]
    scores = {s["doc"]["id"]: s[HEADLINE[dataset]] for s in samples}
    assert scores == {name: float(status == "accepted") for name, status in found.items()}
    return found


@pytest.mark.parametrize("dataset", PROGRAMS)
def test_inspect_and_lm_eval_say_the_same_of_the_samples(
    dataset, sample_programs, record, run_eval, new_script
):
    import importlib

    task = getattr(importlib.import_module(f"ctrl_harness.tasks.{dataset}"), dataset)
    odd = ["I give up.", "```python\n1 +\n```", "```python\nwhile True: pass\n```"]
    completions = {
        p.id: odd[n] if n < len(odd) else fenced((p.right if n % 2 else p.wrong or p.right)[0])
        for n, p in enumerate(sample_programs(dataset))
    }
    recorded = record({"id": name, "completion": text} for name, text in completions.items())
    here = verdicts_in_lm_eval(dataset, recorded, "samples")
    there = verdicts_in_inspect(
        run_eval, new_script(), task(source="samples", turns=0), completions
    )
    assert here == there
    assert len(set(here.values())) > 2


@pytest.mark.slow
def test_inspect_and_lm_eval_say_the_same_of_378_labelled_completions(
    real_data, record, run_eval, new_script
):
    from ctrl_harness.tasks.mbppplus import mbppplus

    rows = labelled_completions(real_data)
    source = str(real_data / "mbppplus" / "MbppPlus-OriginFmt.jsonl.gz")
    completions = {row["task_id"]: fenced(row["solution"]) for row in rows}
    recorded = record({"id": name, "completion": text} for name, text in completions.items())
    here = verdicts_in_lm_eval("mbppplus", recorded, source)
    there = verdicts_in_inspect(
        run_eval, new_script(), mbppplus(source=source, turns=0, leakage=False), completions
    )
    assert len(here) == 378
    assert here == there
