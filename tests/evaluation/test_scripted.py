"""The `scripted` provider: answers by sample, epoch, role and turn, and no answer but a clear error
where the file has none."""

from __future__ import annotations

import json

import anyio
import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import read_eval_log
from inspect_ai.model import get_model

from ctrl_harness.tasks.mbppplus import mbppplus

ID = "Mbpp/9001"


def completions(log, epoch=1):
    (sample,) = [s for s in log.samples if s.epoch == epoch]
    return sample.metadata["ctrl_harness:chain"]["completions"]


def test_a_line_of_the_epoch_wins_over_one_of_every_epoch(new_script, run_eval, executor):
    script = new_script()
    script.line(ID, "generator", 0, "for every epoch")
    script.line(ID, "generator", 0, "for the second", epoch=2)
    task = mbppplus(source="samples", turns=0, executor=executor)
    log = run_eval(task, script.save(), sample_id=ID, epochs=2)
    assert completions(log, 1) == ["for every epoch"]
    assert completions(log, 2) == ["for the second"]


def test_a_script_may_begin_with_a_byte_order_mark(new_script, run_eval, executor):
    script = new_script()
    script.line(ID, "generator", 0, "draft")
    model = script.save()
    script.path.write_bytes(b"\xef\xbb\xbf" + script.path.read_bytes())
    log = run_eval(mbppplus(source="samples", turns=0, executor=executor), model, sample_id=ID)
    assert completions(log) == ["draft"]


def test_roles_and_turns_tell_answers_apart_and_words_are_counted(new_script, run_eval, executor):
    script = new_script()
    script.line(ID, "generator", 0, "draft")
    script.line(ID, "critic", 1, "critique of the draft")
    script.line(ID, "generator", 1, "first revision")
    script.line(ID, "critic", 2, "critique of the first revision")
    script.line(ID, "generator", 2, "second revision")
    model = script.save()
    log = run_eval(mbppplus(source="samples", turns=2, executor=executor), model, sample_id=ID)
    assert completions(log) == ["draft", "first revision", "second revision"]
    (sample,) = log.samples
    chain = sample.metadata["ctrl_harness:chain"]
    critiques = [critique["text"] for critique in chain["critiques"]]
    assert critiques == ["critique of the draft", "critique of the first revision"]
    assert log.stats.model_usage[model].output_tokens == 1 + 4 + 2 + 5 + 2
    assert log.stats.model_usage[model].input_tokens > 0


def test_an_answer_that_was_cut_off_is_logged_as_such(new_script, run_eval, executor):
    script = new_script()
    script.chain(ID, ["print(1)", "print(2)"])
    model = script.save()
    row = {
        "sample_id": ID, "role": "critic", "turn": 1, "output": "Overall judgm",
        "stop_reason": "max_tokens",
    }  # fmt: skip
    with script.path.open("a") as file:
        file.write("\n" + json.dumps(row) + "\n\n")  # blank lines do not matter
    log = run_eval(mbppplus(source="samples", executor=executor), model, sample_id=ID)
    (sample,) = log.samples
    (critique,) = sample.metadata["ctrl_harness:chain"]["critiques"]
    assert critique["cut_off"] is True


def test_a_missing_line_is_an_error_and_not_a_score(new_script, inspect_cli, executor, tmp_path):
    script = new_script()
    script.chain(ID, ["print(1)", "print(2)"])  # no critique
    script.chain("Mbpp/9002", ["print(1)", "print(2)"], ["missing"])
    done = inspect_cli(
        "eval", "tasks/mbppplus.py", "--model", script.save(), "-T", "source=samples",
        "-T", f"executor={executor}", "--sample-id", f"{ID},Mbpp/9002", "--no-fail-on-error",
    )  # fmt: skip
    assert done.code == 0, done.text
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    failed = next(sample for sample in log.samples if sample.id == ID)
    assert failed.error is not None
    assert f"has no line for sample '{ID}', epoch 1, role 'critic', turn 1" in failed.error.message
    assert not failed.scores
    assert log.results.completed_samples == 1
    assert log.results.scores[0].scored_samples == 1

    # scoring the log again leaves that sample out as well
    done = inspect_cli("score", path, "--overwrite", "--action", "overwrite")
    assert done.code == 0, done.text
    again = read_eval_log(str(path))
    assert again.results.scores[0].scored_samples == 1
    assert again.results.scores[0].unscored_samples == 1
    assert again.results.scores[0].metrics == log.results.scores[0].metrics


def test_without_leave_to_fail_the_eval_ends_at_the_missing_line(
    new_script, inspect_cli, executor, tmp_path
):
    script = new_script()
    script.line(ID, "critic", 1, "a critique of nothing")
    done = inspect_cli(
        "eval", "tasks/mbppplus.py", "--model", script.save(), "-T", "source=samples",
        "-T", f"executor={executor}", "--sample-id", ID,
    )  # fmt: skip
    assert "Traceback" not in done.text
    (line,) = [line for line in done.text.splitlines() if "script.jsonl has" in line]
    assert line.strip().endswith(
        f"has no line for sample '{ID}', epoch 1, role 'generator', turn 0; add one"
    )
    assert len(done.text.splitlines()) < 20  # no frames either
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    assert (log.status, log.results) == ("error", None)


def test_a_call_that_is_none_of_the_tasks_is_an_error(new_script):
    script = new_script()
    script.line(ID, "generator", 0, "draft")
    model = get_model(script.save(), memoize=False)
    with pytest.raises(PrerequisiteError, match="answers only the calls of this project's tasks"):
        anyio.run(model.generate, "Hello")


GOOD = {"sample_id": "a", "role": "critic", "turn": 1, "output": ""}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (json.dumps(GOOD)[:-1], "line 1 of"),
        ("\n[]", "line 2 of"),
        (json.dumps({**GOOD, "output": None}), "output: Input should be"),
        (json.dumps({**GOOD, "role": "judge"}), "role: Input should be 'generator' or 'critic'"),
        (json.dumps({**GOOD, "turn": True}), "turn: Input should be"),
        (json.dumps({**GOOD, "epoch": [1]}), "epoch: Input should be"),
        (json.dumps({**GOOD, "stop_reason": "tired"}), "stop_reason: Input should be"),
        ("\x80", "cannot be read"),
        (
            "\n".join(map(json.dumps, [GOOD, {**GOOD, "epoch": 1}, {**GOOD, "output": "again"}])),
            "line 3 of",
        ),
        (
            "\n".join(map(json.dumps, [{**GOOD, "epoch": 2}, {**GOOD, "epoch": 2}])),
            "for sample 'a', epoch 2, role 'critic', turn 1 a second time; take one of the two out",
        ),
        ("", "holds no line"),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path, inspect_cli, executor, text, says):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(text.encode("latin-1"))
    done = inspect_cli(
        "eval", "tasks/mbppplus.py", "--model", f"scripted/{path}", "-T", "source=samples",
        "-T", f"executor={executor}",
    )  # fmt: skip
    assert done.code != 0
    lines = [line for line in done.text.splitlines() if "broken.jsonl" in line]
    assert len(lines) == 1
    assert says in lines[0]
    assert "Traceback" not in done.text
