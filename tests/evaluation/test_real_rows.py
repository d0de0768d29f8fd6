"""The four tasks on real rows, by scripted models: all rows are there, and scoring a log again says
the same. Programs are trivial, so that judging is quick; what is judged right has other tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log

PUBLISHED = {  # percent: overall, knowledge, reasoning, math, coding
    "Skywork_Skywork-Reward-Gemma-2-27B": (64.29, 59.74, 66.33, 83.93, 50.00),
    "Skywork_Skywork-Reward-Llama-3.1-8B": (62.29, 59.09, 64.29, 76.79, 50.00),
    "internlm_internlm2-20b-reward": (63.43, 62.34, 69.39, 66.07, 50.00),
    "Ray2333_GRM-Gemma-2B-rewardmodel-ft": (59.43, 62.99, 53.06, 64.29, 54.76),
}
ROWS = {  # file, usable rows, unusable ones, settings
    "codecontests": ("code_contests/code_contests_test165_reassembled.jsonl", 165, 0, []),
    "livecodebench": (
        "livecodebench/questions_v6.jsonl.gz",
        400,
        1,  # without public tests
        ["release=release_v1", "start=2023-01-01", "tests=public"],
    ),
    "mbppplus": ("mbppplus/MbppPlus-OriginFmt.jsonl.gz", 378, 0, []),
}
ID_FIELD = {"codecontests": "name", "livecodebench": "question_id", "mbppplus": "task_id"}


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open(path, "rt") if path.name.endswith(".gz") else path.open()
    with opened as lines:
        for line in lines:
            yield json.loads(line)


def sample_id(dataset: str, row: dict[str, Any]) -> str:
    value = row[ID_FIELD[dataset]]
    return f"Mbpp/{value}" if dataset == "mbppplus" else value


def write_chains(script: Any, dataset: str, path: Path) -> str:
    """Drafts: no program, one that does not compile, one that prints 1, by epoch. Revisions: the
    row's own program where it has one, else none."""
    for row in rows_of(path):
        name = sample_id(dataset, row)
        for epoch, draft in enumerate((None, "1 +", "print(1)"), start=1):
            judgement = ("incorrect", "correct", "missing")[epoch - 1]
            script.chain(name, [draft, row.get("code")], [judgement], epoch)
    model: str = script.save()
    return model


def numbers(log: EvalLog) -> tuple[Any, Any]:
    """All scores and metrics, comparable although some are NaN."""
    assert log.status == "success", log.error
    scores = {
        (sample.id, sample.epoch): {
            name: repr((score.value, score.answer, score.explanation, score.metadata))
            for name, score in (sample.scores or {}).items()
        }
        for sample in log.samples or []
    }
    (score,) = log.results.scores
    return scores, {name: repr(metric.value) for name, metric in score.metrics.items()}


def evaluate(inspect_cli: Any, folder: Path, task: str, *arguments: Any) -> EvalLog:
    done = inspect_cli("eval", f"tasks/{task}.py", *arguments)
    assert done.code == 0, done.text
    (path,) = (folder / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    assert log.status == "success", log.error
    return log


def same_when_scored_again(inspect_cli: Any, log: EvalLog) -> None:
    done = inspect_cli("score", log.location, "--overwrite", "--action", "overwrite")
    assert done.code == 0, done.text
    assert numbers(read_eval_log(log.location)) == numbers(log)


@pytest.mark.parametrize(
    "dataset",
    ["codecontests", "livecodebench", pytest.param("mbppplus", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(
    ("limit", "epochs"), [(3, 2), pytest.param(None, 3, marks=pytest.mark.slow)]
)
def test_programs_on_real_rows(
    dataset, limit, epochs, real_data, new_script, inspect_cli, executor, tmp_path
):
    file, count, unusable, settings = ROWS[dataset]
    path = real_data / file
    model = write_chains(new_script(), dataset, path)
    arguments = [text for setting in settings for text in ("-T", setting)]
    log = evaluate(
        inspect_cli, tmp_path, dataset, "--model", model, "-T", f"source={path}",
        "-T", f"executor={executor}", "--epochs", epochs, *arguments,
        *(() if limit is None else ("--limit", limit)),
    )  # fmt: skip
    facts = log.eval.metadata
    assert (facts["problems"], facts["unusable"]) == (count, unusable)
    assert log.results.total_samples == (limit or count) * epochs
    assert log.results.completed_samples == log.results.total_samples
    _, metrics = numbers(log)
    # only MBPP+ rows come with a program; Mbpp/599 may run into the time limit
    passed = float(metrics["pass_at_1_turn_1"])
    assert passed >= 377 / 378 if dataset == "mbppplus" else passed == 0
    same_when_scored_again(inspect_cli, log)


@pytest.mark.parametrize(
    ("judge", "epochs"),
    [
        pytest.param("Skywork_Skywork-Reward-Gemma-2-27B", 1, marks=pytest.mark.slow),
        pytest.param("Skywork_Skywork-Reward-Gemma-2-27B", 3, marks=pytest.mark.slow),
        pytest.param("Skywork_Skywork-Reward-Llama-3.1-8B", 1, marks=pytest.mark.slow),
        pytest.param("internlm_internlm2-20b-reward", 1, marks=pytest.mark.slow),
        pytest.param("Ray2333_GRM-Gemma-2B-rewardmodel-ft", 1, marks=pytest.mark.slow),
    ],
)
def test_published_judges_get_their_published_accuracy(
    judge, epochs, real_data, new_script, inspect_cli, tmp_path
):
    folder = real_data / "judgebench"
    script = new_script()
    for row in rows_of(folder / "published_judge_decisions" / f"{judge}.jsonl"):
        for turn, decision in enumerate(row["decisions"], start=1):
            script.line(row["pair_id"], "critic", turn, f"[[{decision}]]")
    (rows,) = folder.glob("*.jsonl.gz")  # its name holds a comma
    log = evaluate(
        inspect_cli, tmp_path, "judgebench", "--model", script.save(), "-T", f"source={rows}",
        "--epochs", epochs,
    )  # fmt: skip
    assert log.eval.metadata["problems"] == 350
    assert log.results.completed_samples == 350 * epochs
    _, metrics = numbers(log)
    names = ("accuracy", *(f"accuracy_{c}" for c in ("knowledge", "reasoning", "math", "coding")))
    assert tuple(round(100 * float(metrics[name]), 2) for name in names) == PUBLISHED[judge]
    same_when_scored_again(inspect_cli, log)


def test_the_window_of_ctrl_ends_with_count_and_reason_of_unusable_rows(
    real_data, new_script, inspect_cli, executor
):
    script = new_script()
    script.chain("any", ["print(1)"])
    done = inspect_cli(
        "eval", "tasks/livecodebench.py", "--model", script.save(), "-T",
        f"source={real_data / 'livecodebench' / 'questions_v6.jsonl.gz'}",
        "-T", "release=release_v4", "-T", "start=2024-08-01", "-T", "end=2024-11-01",
        "-T", "tests=private", "-T", f"executor={executor}",
    )  # fmt: skip
    assert done.code != 0
    assert "Traceback" not in done.text
    (line,) = [line for line in done.text.splitlines() if "ERROR" in line]
    # these rows come without their tests
    assert "none of the 113 rows of livecodebench" in line
    assert "(113 × field 'private_test_cases' is missing)" in line
    assert "choose another source, subset or dates" in line
