"""On labelled programs the server answers what SandboxFusion would: see the oracle for how."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ctrl_harness.problems.livecodebench import PRELUDE

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import sandbox_fusion_oracle as oracle
import server_load

fusion: Any = pytest.importorskip("sandbox_fusion", reason="needs the package sandbox-fusion")
SHARE = pytest.mark.parametrize("step", [100, pytest.param(1, marks=pytest.mark.slow)])
"""Every hundredth row, or all."""

_MBPP_S = 60.0
"""Above SandboxFusion's 20: one right program takes about that long."""


class Case(NamedTuple):
    """A program on a row. passes: what SandboxFusion would answer for each entry of `tests`."""

    name: str
    kind: str
    row: dict[str, Any]
    program: str
    passes: Callable[[], list[bool]]
    run_timeout: float | None = None


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("CTRL_HARNESS_REAL_DATA")
    if not folder or not (Path(folder) / "code_contests").is_dir():
        pytest.skip("CTRL_HARNESS_REAL_DATA names no folder with labelled programs")
    return Path(folder)


def lines_of(path: Path) -> list[dict[str, Any]]:
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        return [json.loads(line) for line in lines]


def code_contests(data: Path) -> list[Case]:
    folder = data / "code_contests"
    rows = {
        row["name"]: row for row in lines_of(folder / "code_contests_test165_reassembled.jsonl")
    }
    cases = []
    for each in lines_of(folder / "model_solutions_gpt-4o-mini_labelled.jsonl"):
        row, program = rows[each["name"]], each["solution"]
        pairs: list[tuple[str, str]] = []
        for field in ("public_tests", "private_tests", "generated_tests"):
            tests = row.get(field) or {"input": [], "output": []}
            pairs += zip(tests["input"], tests["output"], strict=True)
        test = [{"input": {"stdin": i}, "output": {"stdout": o}} for i, o in pairs]

        def passes(program: str = program, pairs: list[tuple[str, str]] = pairs) -> list[bool]:
            return [oracle.oj_passes(program, *pair) for pair in pairs]

        cases.append(Case(each["name"], "CommonOJDataset", {"test": test}, program, passes))
    return cases


def mbpp(data: Path) -> list[Case]:
    folder = data / "mbppplus"
    rows = {f"Mbpp/{r['task_id']}": r for r in lines_of(folder / "MbppPlus-OriginFmt.jsonl.gz")}
    cases = []
    for each in lines_of(folder / "completions_qwen2.5coder_1.5b_evalplus_labelled.jsonl.gz"):
        row = rows[each["task_id"]]
        # the programs begin with the task as a text in triple quotes, at whose end SandboxFusion
        # would cut: a difference that docs/server.md names
        program = each["solution"].rpartition('"""\n')[2]
        tests = row["test_list"]
        tests = tests if isinstance(tests, list) else json.loads(tests)
        imports = row.get("test_imports") or []
        setup = "\n".join(imports if isinstance(imports, list) else [])
        fields = {"content": row["prompt"], "test_list": tests,
                  "labels": {"test_setup_code": setup}}  # fmt: skip

        def passes(
            program: str = program, setup: str = setup, tests: list[str] = tests
        ) -> list[bool]:
            return [oracle.mbpp_passes(program, setup, tests, _MBPP_S)]

        cases.append(Case(each["task_id"], "MBPPDataset", fields, program, passes, _MBPP_S))
    return cases


def livecodebench(data: Path) -> list[Case]:
    cases = []
    for each in lines_of(data / "livecodebench" / "o1_mini_failing.jsonl.gz"):
        program, name = each["code"], each["function"]
        given, expected = each["inputs"], each["expected"]
        if name is not None:
            given = "\n".join(json.dumps(argument) for argument in each["args"][0])
            expected = json.dumps(expected)
        tests = json.dumps({"inputs": [given], "outputs": [expected], "fn_name": name})
        row = {"content": "", "labels": "{}", "test": json.dumps({"input_output": tests})}

        def passes(
            program: str = program, name: Any = name, given: str = given, expected: str = expected
        ) -> list[bool]:
            if name is None:
                return [oracle.live_stdio_passes(program, given, expected, PRELUDE)]
            return [oracle.live_call_passes(program, name, given, expected, PRELUDE)]

        cases.append(Case(each["id"], "LiveCodeBenchDataset", row, program, passes))
    return cases


def answer(case: Case, url: str) -> Any:
    """What the official client gets, as critic-rl asks (ctrl/eval/sandbox_utils.py)."""
    config = fusion.TestConfig(
        language="python",
        dataset_type=case.kind,
        provided_data={"id": 0, **case.row},
        extra={"run_all_cases": True},
        run_timeout=case.run_timeout,
    )
    request = fusion.SubmitRequest(
        dataset="dataset_id", id=0, config=config, completion=f"```python\n{case.program}\n```"
    )
    return fusion.submit(request, endpoint=url)


@SHARE
@pytest.mark.parametrize("cases_of", [code_contests, mbpp, livecodebench])
def test_accepted_and_the_share_of_passed_tests_are_what_sandbox_fusion_would_answer(
    server: Any, data: Path, cases_of: Callable[[Path], list[Case]], step: int
) -> None:
    cases = cases_of(data)[step // 2 :: step]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda case: answer(case, server.url), cases))
        wanted = list(pool.map(lambda case: case.passes(), cases))
    differing = []
    for case, result, passes in zip(cases, answers, wanted, strict=True):
        found = [test.passed for test in result.tests]
        if found != passes or result.accepted is not all(passes):
            differing.append((case.name, found, passes, result.extra))
    assert differing == []


@SHARE
def test_the_reward_of_verl_is_what_it_would_be_with_sandbox_fusion(
    server: Any, data: Path, step: int
) -> None:
    verl = server_load.verl_reward()
    if verl is None:
        pytest.skip("needs verl (pip install --no-deps verl==0.9.1)")
    differing = []
    with oracle.plain_server() as plain:
        for case in code_contests(data)[step // 2 :: step]:
            inputs = [test["input"]["stdin"] for test in case.row["test"]][:10]
            outputs = [test["output"]["stdout"] for test in case.row["test"]][:10]
            scores = [
                verl.compute_score(
                    f"{url}/run_code",
                    None,
                    1024,
                    f"```python\n{case.program}\n```",
                    json.dumps({"inputs": inputs, "outputs": outputs}),
                    timeout=20,
                )[0]
                for url in (server.url, plain)
            ]
            if scores[0] != scores[1]:
                differing.append((case.name, *scores))
    assert differing == []


@SHARE
def test_a_script_with_its_asserts_ends_as_in_sandbox_fusion(
    server: Any, data: Path, step: int
) -> None:
    """critic-rl sends MBPP+ to /run_code: program and tests as one file."""
    differing = []
    with oracle.plain_server() as plain:
        for case in mbpp(data)[step // 2 :: step]:
            code = "\n".join([case.program, *case.row["test_list"]])
            request = fusion.RunCodeRequest(code=code, language="python", run_timeout=20)
            ours, theirs = (fusion.run_code(request, endpoint=u) for u in (server.url, plain))
            if (ours.status, ours.run_result.stdout) != (theirs.status, theirs.run_result.stdout):
                differing.append((case.name, ours, theirs))
    assert differing == []
