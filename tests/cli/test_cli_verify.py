"""`ctrl-harness verify` as people run it: files in, verdicts out, exit statuses, kills."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.cli import main
from ctrl_harness.problems import samples as shipped
from ctrl_harness.problems.catalog import open_dataset

COMMAND = Path(sys.executable).with_name("ctrl-harness")
SAMPLE_PROGRAMS = Path(shipped.__path__[0]) / "programs_mbppplus.jsonl"
WARNING = "executor 'process' does NOT isolate"
FIELDS = ["id", "status", "passed", "n_passed", "n_cases", "cases", "digest"]
ADD = "print(sum(map(int, input().split())))"


def run(*arguments: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "verify", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def bulk(folder: Path, *options: str | Path, source: str = "problems.jsonl", **how: Any) -> Any:
    dataset = how.pop("dataset", "codecontests")
    samples, out = how.pop("samples", "samples.jsonl"), how.pop("out", "out.jsonl")
    return run(
        dataset, "--source", source, "--samples", samples, "--out", out, *options,
        cwd=folder, **how,
    )  # fmt: skip


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.splitlines()[-1]


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def contest_row(name: str, cases: Sequence[tuple[str, str]], public: int = 1) -> dict[str, Any]:
    """A row in CodeContests' layout; the first `public` cases are public, the rest generated."""

    def tests(part: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
        return {"input": [case[0] for case in part], "output": [case[1] for case in part]}

    return {
        "name": name,
        "description": "Add two numbers.",
        "public_tests": tests(cases[:public]),
        "private_tests": tests([]),
        "generated_tests": tests(cases[public:]),
        "time_limit": {"seconds": 1, "nanos": 500_000_000},
        "memory_limit_bytes": 256_000_000,
        "input_file": "",
        "output_file": "",
    }


WHOLE = "codecontests --source problems.jsonl --samples samples.jsonl --out out.jsonl"
SUMS = [("1 2\n", "3\n"), ("5 5\n", "10\n"), ("0 0\n", "0\n")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two problems of the same three cases."""
    write_lines(tmp_path / "problems.jsonl", [contest_row(name, SUMS) for name in ("add", "plus")])
    return tmp_path


@pytest.fixture
def run_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], tuple[int, list[str]]]:
    """The console script's function in this process, which costs no second of imports a run."""

    def run_main(arguments: str) -> tuple[int, list[str]]:
        monkeypatch.chdir(folder)
        command = [str(COMMAND), "verify", *arguments.split()]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as stop:
            main.run()
        out, err = capsys.readouterr()
        assert out == ""
        assert isinstance(stop.value.code, int)
        return stop.value.code, err.splitlines()

    return run_main


def mbpp_row(reference_body: str) -> dict[str, Any]:
    """A row in MBPP+'s layout whose expected values a `ref_func` computes."""
    test = f"""
import numpy as np

def is_floats(x) -> bool:
    return isinstance(x, float)

def assertion(out, exp, atol):
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if out != exp and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert out == exp

def ref_func(n):
    {reference_body}

inputs = [[1], [2]]
for i, inp in enumerate(inputs):
    assertion(double(*inp), ref_func(*inp), 0)
"""
    return {
        "task_id": 7,
        "code": "def double(n):\n    return 2 * n\n",
        "prompt": "Write a function that doubles.",
        "source_file": "made up",
        "test_imports": [],
        "test_list": ["assert double(1) == 2"],
        "test": test,
    }


# -- bulk: what comes out


def test_the_shipped_samples_are_judged_as_labelled(tmp_path: Path) -> None:
    labelled = read_lines(SAMPLE_PROGRAMS)[:12]
    write_lines(
        tmp_path / "samples.jsonl",
        [{"id": row["id"], "program": row["program"]} for row in labelled],
    )
    done = bulk(tmp_path, source="samples", dataset="mbppplus")
    assert (done.returncode, done.stdout) == (0, "")
    right = sum(row["correct"] for row in labelled)
    assert last_line(done) == f"12 judged, {right} accepted"
    rows = read_lines(tmp_path / "out.jsonl")
    assert Counter((row["id"], row["passed"]) for row in rows) == Counter(
        (row["id"], row["correct"]) for row in labelled
    )
    problems = open_dataset("mbppplus", "samples")
    for row in rows:
        assert list(row) == FIELDS
        assert row["n_cases"] == len(row["cases"]) == len(problems[row["id"]].cases)


def test_a_line_tells_all_of_one_sample(folder: Path) -> None:
    crashes_later = "a = input()\nprint(3) if '1' in a else print(8) if '5' in a else 1 / 0"
    write_lines(folder / "samples.jsonl", [{"id": "add", "program": crashes_later}])
    assert bulk(folder, "--all-cases").returncode == 0
    (row,) = read_lines(folder / "out.jsonl")
    assert list(row) == FIELDS
    assert (row["id"], row["status"], row["passed"]) == ("add", "wrong_answer", False)
    assert (row["n_passed"], row["n_cases"]) == (1, 3)
    statuses = ["accepted", "wrong_answer", "runtime_error"]
    assert [case["status"] for case in row["cases"]] == statuses
    for index, case in enumerate(row["cases"]):
        assert list(case) == ["index", "status", "time_s", "memory_mb"]
        assert case["index"] == index
        assert isinstance(case["time_s"], float) and 0 <= case["time_s"] < 10
        assert isinstance(case["memory_mb"], float) and case["memory_mb"] < 256
    canonical = json.dumps(
        {
            "format_version": 2,
            "cases": [{"stdin": given, "stdout": expected} for given, expected in SUMS],
            "program": crashes_later,
            "comparator": "default",
            "extraction": None,
            "limits": {"time_s": 1.5, "memory_mb": 256_000_000 / 2**20, "output_mb": 16.0},
            "fail_fast": False,
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    assert row["digest"] == hashlib.sha256(canonical.encode()).hexdigest()


def test_completions_programs_and_repeated_ids_are_all_judged(folder: Path) -> None:
    fenced = f"Sure:\n```python\n{ADD}\n```\nor\n```python\nprint(0)\n```"
    samples = [
        {"id": "add", "program": ADD},
        {"id": "add", "program": ADD},
        {"id": "plus", "completion": fenced},
        {"id": "add", "completion": "<think>\n```\nprint(0)\n```\n</think>I pass.", "other": 1},
        {"id": "add", "program": "print("},
        {"id": "add", "program": "while True: pass"},
        {"id": "add", "program": "", "completion": None},
    ]
    write_lines(folder / "samples.jsonl", samples)
    done = bulk(folder, "--time-limit", "0.5", "--jobs", "2")
    assert done.returncode == 0
    assert last_line(done) == "7 judged, 3 accepted"
    rows = read_lines(folder / "out.jsonl")
    assert Counter(row["status"] for row in rows) == Counter(
        accepted=3, no_code=1, compile_error=1, time_limit=1, wrong_answer=1
    )
    by_status = {row["status"]: row for row in rows}
    assert by_status["no_code"]["cases"] == [None] * 3
    assert [case is None for case in by_status["time_limit"]["cases"]] == [False, True, True]
    assert by_status["compile_error"]["n_passed"] == 0
    assert len({row["digest"] for row in rows if row["id"] == "add"}) == 5  # two are one sample

    again = bulk(folder, "--time-limit", "0.5", "--jobs", "2")
    assert last_line(again) == "0 judged, 0 accepted, 7 were there already"
    assert read_lines(folder / "out.jsonl") == rows
    last = bulk(folder, "--extraction", "last_fence", "--time-limit", "0.5")
    assert last_line(last) == "2 judged, 0 accepted, 5 were there already"  # bare ones have none
    assert len(read_lines(folder / "out.jsonl")) == 9


def test_judging_ends_at_the_first_failing_case_unless_all_are_asked_for(folder: Path) -> None:
    write_lines(folder / "samples.jsonl", [{"id": "add", "program": "print(10)"}])
    assert bulk(folder, "--all-cases", out="all.jsonl").returncode == 0
    assert bulk(folder, out="fast.jsonl").returncode == 0
    (every,), (fast,) = read_lines(folder / "all.jsonl"), read_lines(folder / "fast.jsonl")
    assert [case["status"] for case in every["cases"]] == [
        "wrong_answer", "accepted", "wrong_answer",
    ]  # fmt: skip
    assert [case and case["status"] for case in fast["cases"]] == ["wrong_answer", None, None]
    assert (every["n_passed"], fast["n_passed"], fast["n_cases"]) == (1, 0, 3)
    assert every["digest"] != fast["digest"]


def test_a_subset_of_the_tests_and_another_comparator_can_be_chosen(folder: Path) -> None:
    write_lines(folder / "samples.jsonl", [{"id": "add", "program": "print(3)"}])
    assert bulk(folder, "--tests", "public", "--comparator", "evalplus").returncode == 0
    (row,) = read_lines(folder / "out.jsonl")
    assert (row["passed"], row["n_cases"]) == (True, 1)


def test_samples_may_come_through_a_pipe_and_out_lie_in_a_new_folder(folder: Path) -> None:
    given = json.dumps({"id": "add", "program": ADD}) + "\n"
    done = bulk(folder, samples="/dev/stdin", out="new/folder/out.jsonl", input=given)
    assert done.returncode == 0
    assert len(read_lines(folder / "new" / "folder" / "out.jsonl")) == 1


# -- bulk: what cannot be judged


def test_unusable_rows_that_no_sample_is_of_are_a_note(folder: Path) -> None:
    problems = folder / "problems.jsonl"
    broken = [json.dumps({"name": name}) + "\n" for name in ("broken", "worse")]
    problems.write_text(problems.read_text() + "".join(broken) + "{\n")
    write_lines(folder / "samples.jsonl", [{"id": "add", "program": ADD}])
    done = bulk(folder)
    assert done.returncode == 0
    assert last_line(done) == "1 judged, 1 accepted"
    assert "note: 3 rows of the data set cannot be used, and no sample is of them (2 ×" in (
        done.stderr
    )


def test_what_cannot_be_judged_is_named_counted_and_makes_exit_2(folder: Path) -> None:
    problems = folder / "problems.jsonl"
    problems.write_text(problems.read_text() + json.dumps({"name": "broken"}) + "\n")
    samples = [
        {"id": "add", "program": ADD},
        {"id": "nowhere", "program": ADD},
        {"id": "broken", "program": ADD},
        "not json",
        "[1]",
        '{"id": 5, "program": "x"}',
        '{"program": "x"}',
        '{"id": "add"}',
        '{"id": "add", "program": "x", "completion": "y"}',
        '{"id": "add", "program": 5}',
        '{"id": "\\ud800", "program": "x"}',
        "[" * 100_000,
        "",
        {"id": "plus", "program": "'\ud800'"},
    ]
    write_lines(folder / "samples.jsonl", samples)
    done = bulk(folder)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert last_line(done).startswith("2 judged, 1 accepted, 11 not judged (")
    for complaint in [
        "not judged: nowhere (line 2): unknown id",
        "not judged: broken (line 3): its row is unusable: field ",
        "not judged: line 4: not JSON",
        "not judged: line 5: a sample needs an 'id' that is a string",
        "not judged: line 8: a sample needs either 'program' or 'completion'",
        "not judged: line 9: a sample needs either 'program' or 'completion'",
        "not judged: line 10: 'program' or 'completion' must be a string",
        "not judged: line 12: not JSON",
    ]:
        assert complaint in done.stderr
    rows = read_lines(folder / "out.jsonl")
    assert {(row["id"], row["status"]) for row in rows} == {
        ("add", "accepted"), ("plus", "compile_error"),
    }  # fmt: skip


def test_samples_may_begin_with_a_byte_order_mark_and_end_their_lines_as_windows_does(
    folder: Path,
) -> None:
    line = json.dumps({"id": "add", "program": ADD}).encode()
    marked = "\ufeff".encode() + line + b"\r\n"
    (folder / "samples.jsonl").write_bytes(marked + b"\r\n" + line + b"\r\n" + marked)
    done = bulk(folder)
    assert done.returncode == 0
    assert last_line(done) == "3 judged, 3 accepted"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_samples_in_utf_16_are_refused_in_one_sentence(folder: Path, encoding: str) -> None:
    line = json.dumps({"id": "add", "program": ADD})
    (folder / "samples.jsonl").write_bytes(line.encode(encoding))
    done = bulk(folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "are UTF-16; save them as UTF-8" in done.stderr


def test_a_judge_that_fails_makes_exit_3_and_is_retried(tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    write_lines(problems, [mbpp_row("raise ValueError(n)")])
    right, wrong = "def double(n): return n + n", "def double(n): return n"
    samples = [
        {"id": "Mbpp/7", "program": right},
        {"id": "Mbpp/8", "program": right},  # unknown: exit 3 outranks 2
        {"id": "Mbpp/7", "program": wrong},
    ]
    write_lines(tmp_path / "samples.jsonl", samples)
    for _ in range(2):
        done = bulk(tmp_path, dataset="mbppplus")
        assert done.returncode == 3
        assert last_line(done).startswith("0 judged, 0 accepted")
        assert last_line(done).endswith("the judge failed on 2; run again to retry them")
        assert "the judge failed on Mbpp/7 (line 1): the reference program" in done.stderr
        rows = read_lines(tmp_path / "out.jsonl")
        assert len(rows) == 2  # one of each, the first run's are gone
        for row in rows:
            assert list(row) == [*FIELDS, "error"]
            assert (row["status"], row["passed"], row["n_passed"]) == ("judge_error", None, None)
            assert row["cases"] == [None, None]
    write_lines(problems, [mbpp_row("return 2 * n")])
    assert bulk(tmp_path, dataset="mbppplus").returncode == 2  # Mbpp/8 is still unknown
    rows = read_lines(tmp_path / "out.jsonl")
    assert sorted(row["status"] for row in rows) == ["accepted", "wrong_answer"]


# -- bulk: kills and resuming


def test_a_killed_run_is_taken_up_where_it_stopped(folder: Path) -> None:
    samples = [
        {"id": random.choice(["add", "plus"]), "program": f"{ADD}\n# {number // 2}"}
        for number in range(40)
    ]
    write_lines(folder / "samples.jsonl", samples)
    out = folder / "out.jsonl"
    arguments = ["codecontests", "--source", "problems.jsonl", "--samples", "samples.jsonl"]
    seen = 0
    for _ in range(2):
        running = subprocess.Popen(
            [COMMAND, "verify", *arguments, "--out", out, "--jobs", "2"],
            cwd=folder,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while (out.read_bytes().count(b"\n") if out.exists() else 0) <= seen:
            assert time.monotonic() < deadline
            if running.poll() is not None:  # a machine quicker than the kill
                break
            time.sleep(0.01)
        time.sleep(random.random() / 2)
        running.send_signal(signal.SIGKILL)
        running.wait()
        seen = out.read_bytes().count(b"\n")
    whole = out.read_bytes()
    if seen > 1:
        out.write_bytes(whole[: -random.randrange(1, 60)])  # as if the kill had cut a line
    done = bulk(folder, "--jobs", "2")
    assert done.returncode == 0
    rows = read_lines(out)
    assert len(rows) == 40 and all(row["passed"] for row in rows)
    assert Counter(row["id"] for row in rows) == Counter(sample["id"] for sample in samples)
    assert whole[: whole.rfind(b"\n", 0, -60) + 1] in out.read_bytes()
    assert last_line(bulk(folder)) == "0 judged, 0 accepted, 40 were there already"
    assert [path.name for path in folder.glob("out*")] == ["out.jsonl"]


def test_a_line_that_was_cut_short_is_judged_again(folder: Path) -> None:
    write_lines(folder / "samples.jsonl", [{"id": n, "program": ADD} for n in ("add", "plus")])
    out = folder / "out.jsonl"
    assert bulk(folder, "--jobs", "1").returncode == 0
    whole = out.read_bytes()
    second = whole.index(b"\n") + 1
    for length in (len(whole) - 1, len(whole) - 40, second + 3):
        out.write_bytes(whole[:length])
        assert last_line(bulk(folder)) == "1 judged, 1 accepted, 1 were there already"
        assert [row["id"] for row in read_lines(out)] == ["add", "plus"]


@pytest.mark.parametrize(
    "content",
    [
        "notes of mine\n",
        "notes of mine, no end of line",
        '{"id":"add","program":"print(5)"}\n',
        '{"id":"add","program":"print(5)"}',
        '{"id":[],"digest":{},"status":"accepted"}\n',
        "[" * 50_000 + "\n",
        '{"statement": "x", "cases": []}',
    ],
    ids=range(7),
)
def test_a_file_that_holds_no_verdicts_is_left_alone(
    folder: Path, content: str, run_here: Any
) -> None:
    write_lines(folder / "samples.jsonl", [{"id": "add", "program": ADD}])
    (folder / "out.jsonl").write_text(content)
    status, told = run_here(WHOLE)
    assert status == 1
    assert told[-1].endswith("lines that are no verdicts; give another name for --out")
    assert (folder / "out.jsonl").read_text() == content


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(folder: Path) -> None:
    write_lines(folder / "samples.jsonl", [{"id": "add", "program": ADD}] * 4)
    done = bulk(folder, out="/dev/full")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert last_line(done).startswith("ctrl-harness: /dev/full cannot be written: No space left")


# -- one program on one problem

CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"stdin": "1 2\n", "stdout": "3"}, ADD, "print(4)"),
    (
        {"function": "f", "args": [1, "x"], "expected": [1, "x"]},
        "f = lambda *a: a",
        "f = lambda a, b: [b, a]",
    ),
    (
        {"function": "f", "args": [], "expected_repr": "{1: (2, None), 'a': {3}}"},
        "class Solution:\n    def f(self): return {'a': {3}, 1: (2, None)}",
        "def f(): return {'a': [3], 1: (2, None)}",
    ),
    ({"script": "assert f(2) == 4\nassert f(3) == 9"}, "f = lambda n: n * n", "f = lambda n: 4"),
]


@pytest.fixture
def one(tmp_path: Path) -> Any:
    def judge(problem: Any, program: str | bytes, *options: str) -> Any:
        text = problem if isinstance(problem, str) else json.dumps(problem)
        (tmp_path / "problem.json").write_text(text)
        source = program.encode() if isinstance(program, str) else program
        (tmp_path / "program.py").write_bytes(source)
        return run(
            "--problem", "problem.json", "--program", "program.py", *options, cwd=tmp_path
        )

    return judge


@pytest.mark.parametrize(
    ("case", "right", "wrong"), CASES, ids=["stdio", "call", "repr", "script"]
)
def test_each_kind_of_case_is_judged(
    one: Any, case: dict[str, Any], right: str, wrong: str
) -> None:
    problem = {"statement": "Do it.", "cases": [case]}
    for program, status in ((right, "accepted"), (wrong, "wrong_answer")):
        done = one(problem, program)
        assert done.returncode == 0
        verdict = json.loads(done.stdout)
        assert done.stdout.count("\n") == 1
        assert list(verdict) == FIELDS[1:]
        assert (verdict["status"], verdict["passed"]) == (status, status == "accepted")
        assert verdict["cases"][-1]["status"] == status  # asserts are judged one by one


@pytest.mark.parametrize(
    "source",
    [
        "\ufeffprint(input())\r\n".encode(),
        b"# -*- coding: latin-1 -*-\n# caf\xe9\nprint(input())\n",
        b"#!/usr/bin/python3\n# vim: set fileencoding=cp1252 :\nx = '\x93'\nprint(input())\n",
    ],
    ids=["mark", "cookie", "second line"],
)
def test_a_program_file_is_decoded_as_python_decodes_it(one: Any, source: bytes) -> None:
    problem = {"cases": [{"stdin": "a\n", "stdout": "a\n"}]}
    assert json.loads(one(problem, source).stdout)["status"] == "accepted"


def test_cases_limits_and_comparator_come_from_the_problem_file(one: Any) -> None:
    problem = {
        "statement": "",
        "cases": [case for case, _, _ in CASES[:1]]
        + [{"function": "f", "args": [n], "expected": [n]} for n in range(3)],
        "limits": {"time_s": 0.5, "memory_mb": 128, "output_mb": 1},
        "comparator": "evalplus",
    }
    program = (
        "import sys, time\n"
        "def f(n):\n"
        "    if n == 1: time.sleep(9)\n"
        "    return (n,) if n == 2 else [n]\n"
        "if __name__ == '__main__': print('x' * 2_000_000)"
    )
    verdict = json.loads(one(problem, program, "--all-cases").stdout)
    assert [case["status"] for case in verdict["cases"]] == [
        "output_limit", "accepted", "time_limit", "wrong_answer",
    ]  # fmt: skip
    assert (verdict["status"], verdict["n_passed"], verdict["n_cases"]) == ("output_limit", 1, 4)
    fast = json.loads(one(problem, program, "--time-limit", "0.4").stdout)
    assert [case is None for case in fast["cases"]] == [False, True, True, True]
    roomy = json.loads(one(problem, program, "--output-mb", "8").stdout)
    assert roomy["status"] == "wrong_answer" != fast["status"]
    lenient = json.loads(one(problem, program, "--all-cases", "--comparator", "default").stdout)
    assert lenient["cases"][3]["status"] == "accepted"


@pytest.mark.parametrize(
    ("program", "status"),
    [
        (b"\xef\xbb\xbfprint(3)", "accepted"),  # a byte order mark, as Python allows it
        (b"print(3)\r\n", "accepted"),
        (b"x = '\xff'", "compile_error"),
        (b"\0", "compile_error"),
        (b"", "wrong_answer"),
    ],
)
def test_any_bytes_are_a_program(one: Any, program: bytes, status: str) -> None:
    done = one({"statement": "", "cases": [CASES[0][0]]}, program)
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, status)


@pytest.mark.parametrize(
    ("problem", "complaint"),
    [
        ("{", "problem.json is not a JSON file"),
        ({"statement": "", "cases": []}, "at least one case"),
        ({"statement": "", "cases": [{"stdin": ""}]}, "cases[0].stdout is missing"),
        ({"cases": [CASES[0][0]], "comparator": "exact"}, "unknown comparator 'exact'"),
        ({"cases": [CASES[0][0]], "limits": {"time_s": 0}}, "limit time_s is 0"),
    ],
)
def test_a_problem_that_cannot_be_judged_is_one_line(
    one: Any, problem: Any, complaint: str
) -> None:
    done = one(problem, "print(3)")
    assert (done.returncode, done.stdout) == (1, "")
    told = done.stderr.splitlines()
    assert len(told) == 1 and complaint in told[0]


# -- bad input


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("", "give DATASET with --samples and --out, or --problem with --program"),
        ("codecontests --source problems.jsonl", "give DATASET with --samples and --out"),
        ("--problem problems.jsonl", "judging one program takes --problem and --program"),
        ("apps", "'apps' is not one of 'codecontests', 'livecodebench', 'mbppplus'"),
        ("codecontests --comparator exact", "'exact' is not one of 'default', 'evalplus'"),
        ("codecontests --time-limit 0", "time limit '0' cannot be used; give row, row*K"),
        ("codecontests --jobs none", "'none' is not a valid integer"),
        ("codecontests --frobnicate", "No such option"),
        ("{bulk} --tests most", "tests=most is unknown; choose one of"),
        ("{bulk} --time-limit nan", "time limit 'nan' cannot be used"),
        ("{bulk} --output-mb 0", "output_mb '0' cannot be used; give row or MiB"),
        ("{bulk} --release release_v1", "codecontests has no option 'release'"),
        ("{bulk} --source nowhere.jsonl", "no file or folder 'nowhere.jsonl'"),
        ("{bulk} --samples nowhere.jsonl", "the samples nowhere.jsonl cannot be read"),
        ("{bulk} --samples .", "the samples . cannot be read: Is a directory"),
        ("{bulk} --out .", ". cannot be written: Is a directory"),
        ("{bulk} --out problems.jsonl/out.jsonl", "out.jsonl cannot be written: "),
        ("{bulk} --out samples.jsonl", "--samples and --out are the same file"),
        ("--problem nowhere.json --program samples.jsonl", "nowhere.json cannot be read"),
        ("--problem problem.json --program nowhere.py", "nowhere.py cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_exit_1(
    folder: Path, arguments: str, complaint: str, run_here: Any
) -> None:
    write_lines(folder / "samples.jsonl", [{"id": "add", "program": ADD}])
    write_lines(folder / "problem.json", [{"statement": "", "cases": [CASES[0][0]]}])
    before = sorted(os.listdir(folder)), (folder / "samples.jsonl").read_text()
    status, told = run_here(arguments.format(bulk=WHOLE))
    assert status == 1
    assert len(told) == 1 and told[0].startswith("ctrl-harness: ") and complaint in told[0]
    left = [name for name in sorted(os.listdir(folder)) if name != "out.jsonl"]
    assert (left, (folder / "samples.jsonl").read_text()) == before


def test_programs_run_without_isolation_only_at_the_users_word(one: Any) -> None:
    problem = {"statement": "", "cases": [CASES[0][0]]}
    refused = one(problem, ADD, "--executor", "process")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "or allow it with --unsafe-no-isolation" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    for options in (["--unsafe-no-isolation"], ["--executor", "process", "--unsafe-no-isolation"]):
        done = one(problem, ADD, *options)
        assert json.loads(done.stdout)["passed"]
        assert done.stderr.count(WARNING) == 1
    torn = one(problem, ADD, "--executor", "embedded", "--unsafe-no-isolation")
    assert (torn.returncode, torn.stdout) == (1, "")
    assert "leave out one of the two" in torn.stderr


def test_a_judge_that_fails_on_one_program_makes_exit_3_and_no_verdict(
    one: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as broken:  # answers 501 to all
        monkeypatch.setenv("SANDBOX_FUSION_ENDPOINT", f"http://127.0.0.1:{broken.server_port}")
        serving = threading.Thread(target=broken.serve_forever)
        serving.start()
        try:
            problem = {"statement": "", "cases": [CASES[0][0]]}
            done = one(problem, ADD, "--executor", "sandbox_fusion")
        finally:
            broken.shutdown()
            serving.join()
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert (told["status"], told["passed"]) == ("judge_error", None)
    assert "501" in told["error"]


def test_help_and_unknown_commands() -> None:
    def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    shown = ask("verify", "--help")
    assert shown.returncode == 0 and "--all-cases / --fail-fast" in shown.stdout
    assert "verify" in ask("--help").stdout
    unknown = ask("judge")
    assert (unknown.returncode, unknown.stderr) == (
        1, "ctrl-harness: No such command 'judge' (see `ctrl-harness --help`)\n",
    )  # fmt: skip
