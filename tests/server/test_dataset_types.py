"""Rows of SandboxFusion's data sets: what of a completion is judged, and how it is answered."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

pytest.importorskip("fastapi", reason="the server needs the extra `server`")

from ctrl_harness.server.models import SubmitRequest
from ctrl_harness.server.submit import submission_of


def post(client: httpx.Client, kind: str, row: dict[str, Any], completion: str, **more: Any) -> Any:
    """more: `dataset`, and fields of config."""
    dataset = more.pop("dataset", "any")
    config = {"dataset_type": kind, "language": "python", "provided_data": row, **more}
    body = {"dataset": dataset, "id": row.get("id", 1), "completion": completion, "config": config}
    return client.post("/submit", json=body)


def submit(client: httpx.Client, *args: Any, **more: Any) -> dict[str, Any]:
    response = post(client, *args, **more)
    assert response.status_code == 200, response.text
    return dict(response.json())


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


# -- how many entries `tests` has

OJ = {"test": [{"input": {"stdin": str(n)}, "output": {"stdout": str(n)}} for n in range(3)]}
LIVE = {"test": {"inputs": ["1", "2"], "outputs": ["true", "false"], "fn_name": "odd"}}
MBPP = {"id": 1, "test_list": ["assert odd(1)", "assert not odd(2)", "assert odd(3) == True"]}


@pytest.mark.parametrize(
    ("kind", "row", "name", "extra", "count"),
    [
        ("CommonOJDataset", OJ, "", {"run_all_cases": True}, 3),
        ("CommonOJDataset", OJ, "", {}, 1),
        ("LiveCodeBenchDataset", LIVE, "odd", {"run_all_cases": True}, 1),
        ("MBPPDataset", MBPP, "odd", {"run_all_cases": True}, 1),
    ],
)
@pytest.mark.parametrize("code", ["return True", "return (", None])
def test_clients_that_average_the_tests_find_as_many_as_in_sandbox_fusion(
    client: httpx.Client, kind: str, row: Any, name: str, extra: Any, count: int, code: str | None
) -> None:
    program = (
        f"def {name}(x): {code}" if name else f"print('no') {code or ''}".replace("return", "")
    )
    completion = "I cannot." if code is None else fenced(program)
    result = submit(client, kind, row, completion, extra=extra)
    assert result["accepted"] is False
    assert [test["passed"] for test in result["tests"]] == [False] * count


def test_why_a_livecodebench_answer_is_wrong_stands_in_stdout(client: httpx.Client) -> None:
    for code, word, number in (
        ("return True", "Wrong Answer", -2),
        ("return 1 / 0", "Runtime Error", -4),
        ("[0 for _ in iter(int, 1)]", "Time Limit Exceeded", -3),
        ("return (", "Compilation Error", -1),
    ):
        result = submit(client, "LiveCodeBenchDataset", LIVE, fenced(f"def odd(x): {code}"),
                        run_timeout=0.5)  # fmt: skip
        ran = result["tests"][0]["exec_info"]["run_result"]
        assert f"'error_code': {number}" in ran["stdout"] and word in ran["stdout"]
        assert (ran["status"], ran["return_code"]) == ("Finished", 255)


@pytest.mark.parametrize(("asked", "total"), [(None, 54), (0, 54), (2.5, 29.5), (90, 160)])
def test_the_tests_of_a_livecodebench_row_share_a_time(asked: float | None, total: float) -> None:
    """min((t + 1)·n + 5, 160) s."""
    row = {"test": {"inputs": ["1"] * 7, "outputs": [""] * 7}}
    config = {"dataset_type": "LiveCodeBenchDataset", "provided_data": row, "run_timeout": asked}
    body = {"dataset": "x", "id": 1, "completion": "", "config": config}
    submission = submission_of(SubmitRequest.model_validate(body))
    assert submission.time_limit.total_s(7) == total
    assert submission.problem.limits.time_s == (asked or 6)


@pytest.mark.parametrize(
    ("printed", "expected", "accepted"),
    [
        ("yes", "YES", False),
        ("10000000009", "10000000000", False),
        ("0101", "0100", False),
        ("0.3333333", "0.33333333", True),
        ("1\n\n2", "1\n2", True),
        ("1 2", ["1 2"], True),
    ],
)
def test_livecodebench_is_judged_by_its_own_rule(
    client: httpx.Client, printed: str, expected: Any, accepted: bool
) -> None:
    row = {"test": json.dumps({"input_output": {"inputs": [""], "outputs": [expected]}})}
    result = submit(client, "LiveCodeBenchDataset", row, fenced(f"print({printed!r})"))
    assert result["accepted"] is accepted
    assert result["extra"]["comparator"] == "sandbox_fusion_livecodebench"


# -- MBPP

ODD = "def odd(x):\n    return x % 2 == 1"


@pytest.mark.parametrize(
    "completion",
    [
        fenced(f"{ODD}\n\nassert odd(2) == True"),
        fenced(f"{ODD}\n\nassert odd(2)\nprint('never')"),
        fenced(f"{ODD}\n\nif __name__ == '__main__':\n    raise SystemExit(odd(4))"),
        fenced(f"{ODD}\n\n# Example usage:\nprint(1 / 0)"),
        fenced(f'{ODD}\n"""\nassert odd(2)\nis wrong\n"""\n1 / 0'),
        fenced(f'"""\nWhether it is odd.\n"""\n{ODD}'),
        fenced(f'MARKS = """\na\n"""\n{ODD}\nassert odd(2)'),
        fenced(f'"""Odd?\nassert odd(2)\n"""\n{ODD}\nassert odd(2)'),
        fenced(f'"""Odd?\n"""\n{ODD}\n"""\nThat is the answer, isn\'t it?'),
        fenced(ODD.replace("\n", "\r\n")),
        f"{ODD}\n[DONE]\nWrite a function.\n[BEGIN]\ndef odd(x):\n    return 0\n",
        f"{fenced(ODD)}\n[DONE]\n{fenced('def odd(x): return 0')}",
        f"```bash\npip install x\n```\n{fenced(ODD)}",
    ],
)
def test_what_follows_the_functions_of_an_mbpp_completion_is_not_judged(
    client: httpx.Client, completion: str
) -> None:
    result = submit(client, "MBPPDataset", MBPP, completion)
    assert result["accepted"] is True, result


@pytest.mark.parametrize(
    "code", ["def odd(x):\n    return True", f"{ODD}\nodd = None", "assert False", "x = 1"]
)
def test_wrong_mbpp_programs_stay_wrong(client: httpx.Client, code: str) -> None:
    assert submit(client, "MBPPDataset", MBPP, fenced(code))["accepted"] is False


def test_with_few_shots_the_last_test_alone_decides(client: httpx.Client) -> None:
    last = f"{ODD.replace('x % 2 == 1', 'x == 3')}\n[DONE]"
    assert submit(client, "MBPPDataset", MBPP, last, is_fewshot=True)["accepted"] is True
    assert submit(client, "MBPPDataset", MBPP, last)["accepted"] is False


def test_set_up_code_may_use_what_the_program_defines(client: httpx.Client) -> None:
    row = {
        "test_list": ["assert total(root) == 3"],
        "labels": json.dumps({"test_setup_code": "root = Node(1)\nroot.left = Node(2)"}),
    }
    code = (
        "class Node:\n    def __init__(self, v):\n        self.v, self.left = v, None\n"
        "def total(node):\n    return node.v + total(node.left) if node else 0"
    )
    assert submit(client, "MBPPDataset", row, fenced(code))["accepted"] is True
    wrong = code.replace("node.v + total", "total")
    assert submit(client, "MBPPDataset", row, fenced(wrong))["accepted"] is False


@pytest.mark.parametrize(
    ("returned", "accepted"),
    [("(1.5, 2.5)", True), ("[1.5, 2.5]", False), ("(1.5, 2.5 + 1e-9)", True)],
)
def test_values_are_as_in_python_but_for_rounding(
    client: httpx.Client, returned: str, accepted: bool
) -> None:
    row = {"test_list": ["assert f(0) == (1.5, 2.5)"]}
    result = submit(client, "MBPPDataset", row, fenced(f"def f(x): return {returned}"))
    assert result["accepted"] is accepted


@pytest.mark.slow
def test_the_asserts_of_a_row_share_a_time(client: httpx.Client) -> None:
    slow = fenced(f"import time\n{ODD.replace('return', 'time.sleep(0.4); return')}")
    for seconds, accepted in ((1, False), (4, True)):
        result = submit(client, "MBPPDataset", MBPP, slow, run_timeout=seconds)
        assert result["accepted"] is accepted, result
    ran = submit(client, "MBPPDataset", MBPP, slow, run_timeout=1)["tests"][0]["exec_info"]
    assert ran["run_result"]["status"] == "TimeLimitExceeded"


@pytest.mark.parametrize(
    ("tests", "entry"),
    [
        ("def tests():\n    assert odd(2) == 0\nif __name__ == '__main__':\n    tests()", None),
        ("METADATA = {}\ndef check(candidate):\n    assert not candidate(2)", "odd"),
        ("METADATA = {}\ndef check(candidate):\n    assert not candidate(2)\ncheck(odd)", None),
        ("for x, y in [(1, 1), (2, 0)]:\n    assert odd(x) == y", None),
        ("try:\n    odd(None)\nexcept TypeError:\n    pass\nassert not odd(2)", None),
    ],
)
def test_asserts_in_functions_and_guards_are_evaluated(
    client: httpx.Client, tests: str, entry: str | None
) -> None:
    row = {"test": tests, "entry_point": entry}
    assert submit(client, "MBPPDataset", row, fenced(ODD))["accepted"] is True
    wrong = fenced("def odd(x): return x + 1 > 0")
    assert submit(client, "MBPPDataset", row, wrong)["accepted"] is False


def test_a_check_that_nobody_calls_is_no_test(client: httpx.Client) -> None:
    row = {"test": "def check(candidate):\n    assert candidate(1)"}
    response = post(client, "MBPPDataset", row, fenced(ODD))
    assert response.status_code == 400 and "entry_point" in response.json()["detail"]


def test_a_wrong_value_reads_as_a_failed_assert(client: httpx.Client) -> None:
    result = submit(client, "MBPPDataset", MBPP, fenced("def odd(x): return x == 1"))
    ran = result["tests"][0]["exec_info"]
    assert (ran["status"], ran["run_result"]["return_code"]) == ("Failed", 1)
    assert "AssertionError: odd(3) returned False, not True" in ran["run_result"]["stderr"]


# -- HumanEval

PROMPT = 'from typing import List\n\n\ndef total(xs: List[int]) -> int:\n    """Adds them."""\n'
CHECK = "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0\n"
HUMANEVAL = {"task_id": "t/1", "prompt": PROMPT, "test": CHECK, "entry_point": "total"}
MULTIPLE = {
    "name": "t_1", "language": "python", "prompt": PROMPT,
    "tests": f"{CHECK}\ndef test_check():\n    check(total)\n\ntest_check()\n",
    "stop_tokens": ["\ndef", "\n#", "\nif", "\nclass", "\n\n"],
}  # fmt: skip
STORED = {
    "id": 3, "content": PROMPT, "test": CHECK, "labels": json.dumps({"entry_point": "total"}),
}  # fmt: skip
ROWS = pytest.mark.parametrize("row", [HUMANEVAL, MULTIPLE, STORED])


@ROWS
@pytest.mark.parametrize(
    ("completion", "accepted"),
    [
        ("    return sum(xs)\n", True),
        ("\n    return sum(xs)\n", True),
        ("    return sum(xs)\n\ndef other():\n    return 1\n", True),
        ("    return functools.reduce(lambda a, b: a + b, xs, 0)\n", True),
        ("    return int(np.sum(xs))\n", True),
        ("    return xs[0]\n", False),
        ("    return (\n", False),
        ("    import sys; sys.exit(0)\n", False),
        ("    import os; os._exit(0)\n", False),
        ("", False),
    ],
)
def test_a_completion_goes_on_where_the_prompt_ends(
    client: httpx.Client, row: dict[str, Any], completion: str, accepted: bool
) -> None:
    result = submit(client, "HumanEvalDataset", row, completion)
    assert result["accepted"] is accepted, result
    assert len(result["tests"]) == 1
    assert result["extracted_code"] in completion or completion in result["extracted_code"]


@pytest.mark.parametrize(
    ("row", "kind", "ends", "helps"),
    [
        (HUMANEVAL, "HumanEvalDataset", True, False),
        (MULTIPLE, "HumanEvalDataset", True, False),
        (STORED, "EvoEvalDataset", True, False),
        (STORED, "HumanEvalDataset", False, True),
    ],
)
def test_a_completion_ends_with_the_function_unless_the_row_was_stored(
    client: httpx.Client, row: dict[str, Any], kind: str, ends: bool, helps: bool
) -> None:
    cut_off = "    return sum(xs)\n\ndef other("
    assert submit(client, kind, row, cut_off)["accepted"] is ends
    helper = "    return added(xs)\n\ndef added(xs):\n    return sum(xs)\n"
    assert submit(client, kind, row, helper)["accepted"] is helps


@ROWS
@pytest.mark.parametrize(
    ("code", "accepted"),
    [
        ("from math import fsum\n\ndef total(xs):\n    return int(fsum(xs))", True),
        ("def total(xs):\n    return 3", False),
        ("def other(xs):\n    return sum(xs)", False),
        ("def check(candidate):\n    pass\ndef total(xs):\n    return 1", False),
    ],
)
def test_a_free_form_completion_holds_the_whole_program(
    client: httpx.Client, row: dict[str, Any], code: str, accepted: bool
) -> None:
    answer = f"Here:\n{fenced(code)}\nDone."
    result = submit(client, "HumanEvalDataset", row, answer, extra={"is_freeform": True})
    assert result["accepted"] is accepted, result


@pytest.mark.parametrize(
    ("row", "dataset", "status"),
    [
        ({**MULTIPLE, "language": "rs"}, "any", 501),
        ({**MULTIPLE, "language": "go_test.go"}, "any", 501),
        (MULTIPLE, "humaneval_cpp", 501),
        ({**STORED, "labels": {"programming_language": "java"}}, "any", 501),
        ({**HUMANEVAL, "entry_point": None}, "humaneval_python", 400),
        ({**HUMANEVAL, "entry_point": "a b"}, "humaneval_python", 400),
        ({**HUMANEVAL, "test": ""}, "humaneval_python", 400),
        ({"test": CHECK, "entry_point": "total"}, "humaneval_python", 400),
        ({**MULTIPLE, "stop_tokens": "x"}, "any", 400),
    ],
)
def test_humaneval_rows_that_cannot_be_judged_say_why(
    client: httpx.Client, row: dict[str, Any], dataset: str, status: int
) -> None:
    response = post(client, "HumanEvalDataset", row, "    return 1\n", dataset=dataset)
    assert response.status_code == status, response.text
    assert response.json()["detail"]


CLASS = (
    "class T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(total([1]), 1)\n"
)


@pytest.mark.parametrize(
    "end",
    [
        "",
        "if __name__ == '__main__':\n    unittest.main()",
        "unittest.main(argv=['x'], exit=False)",
    ],
)
def test_unittest_classes_are_run(client: httpx.Client, end: str) -> None:
    row = {**HUMANEVAL, "test": f"import unittest\n{CLASS}{end}"}
    for body, accepted in (
        ("    return sum(xs)\n", True),
        ("    return 5\n", False),
        ("    raise KeyError(xs)\n", False),
        ("    import unittest\n    raise unittest.SkipTest('no')\n", False),
        ("    import os; os._exit(0)\n", False),
        ("    exit(0)\n", False),
    ):
        result = submit(client, "HumanEvalDataset", row, body, dataset="bigcodebench")
        assert result["accepted"] is accepted, (body, result)


# -- AutoEval

LABELS = {"programming_language": "python"}


def auto(code: str, asset: Any = None, **labels: str) -> dict[str, Any]:
    test = {"code": code, "asset": asset}
    return {"id": 1, "labels": json.dumps({**LABELS, **labels}), "test": json.dumps(test)}


def test_the_program_goes_where_the_row_says(client: httpx.Client) -> None:
    row = auto("import math\nLIMIT = 3\n#<INSERT>\nassert f(1) == LIMIT")
    result = submit(client, "AutoEvalDataset", row, fenced("def f(x): return math.floor(x) + 2"))
    assert result["accepted"] is True
    assert result["full_code"].startswith("import math\nLIMIT = 3\ndef f")
    assert submit(client, "AutoEvalDataset", row, fenced("def f(x): return x"))["accepted"] is False


@pytest.mark.parametrize("asset", [{"a/t.txt": base64.b64encode(b"7").decode(), "none": None}])
@pytest.mark.parametrize("as_text", [False, True])
def test_files_of_the_row_lie_beside_the_program(
    client: httpx.Client, asset: Any, as_text: bool
) -> None:
    row = auto("assert f() == 7", json.dumps(asset) if as_text else asset)
    code = "def f():\n    with open('a/t.txt') as text:\n        return int(text.read())"
    assert submit(client, "AutoEvalV5Dataset", row, fenced(code))["accepted"] is True
    assert submit(client, "AutoEvalDataset", row, fenced("def f(): return 8"))["accepted"] is False


def test_the_main_part_of_the_program_is_left_out(client: httpx.Client) -> None:
    code = "def f(): return 7\nif __name__ == '__main__':\n    print(1 / 0)"
    assert submit(client, "AutoEvalDataset", auto("assert f() == 7"), fenced(code))["accepted"]


@pytest.mark.parametrize(
    ("row", "extra", "status"),
    [
        (auto("assert f()", programming_language="go"), {}, 501),
        (auto("assert f()", execution_language="jest"), {}, 501),
        (auto("exec(#<INSERT>)\nassert f()"), {}, 501),
        (auto("assert f()"), {"repr_code": True}, 501),
        (auto(""), {}, 400),
        (auto("print(f())"), {}, 400),
        (auto("assert f()", "[1]"), {}, 400),
        (auto("assert f()", {"a": 1}), {}, 400),
        (auto("assert f()", {"../a": "YQ=="}), {}, 400),
        ({"id": 1, "labels": LABELS}, {}, 400),
        ({"id": 1, "labels": [], "test": {"code": "assert f()"}}, {}, 200),
        ({"id": 1, "labels": "[1]", "test": {"code": "assert f()"}}, {}, 400),
    ],
)
def test_autoeval_rows_that_cannot_be_judged_say_why(
    client: httpx.Client, row: dict[str, Any], extra: dict[str, Any], status: int
) -> None:
    completion = fenced("def f(): return 1")
    response = post(client, "AutoEvalDataset", row, completion, extra=extra)
    assert response.status_code == status, response.text


# -- CruxEval and RepoBench

CRUX = {"id": "s", "code": "def f(x, y=1):\n    return [x + y]", "input": "2, y", "output": "[3]"}


@pytest.mark.parametrize(
    ("mode", "said", "accepted"),
    [
        ("output", "assert f(2) == [3]", True),
        ("output", "[3]", True),
        ("output", "f(2) == [3]", True),
        ("output", "(3,)", False),
        ("output", "[4]", False),
        ("output", "f(2)", False),
        ("output", "assert f(2) == f(2)", False),
        ("output", "__import__('os')", False),
        ("output", "", False),
        ("input", "assert f(1, 2) == [3]", True),
        ("input", "f(0, 3)", True),
        ("input", "f(1)", False),
        ("input", "[3]", False),
        ("input", "g(1, 2)", False),
        ("input", "f(1, 2); 5", False),
    ],
)
def test_an_answer_on_a_function_is_judged_by_running_it(
    client: httpx.Client, mode: str, said: str, accepted: bool
) -> None:
    row = {**CRUX, "input": "2"}
    completion = f"So:\n[ANSWER]\n{said}\n[/ANSWER]\n[ANSWER]\nassert f(9) == 9\n"
    result = submit(client, "CruxEvalDataset", row, completion, extra={"mode": mode})
    assert result["accepted"] is accepted, result


def test_cruxeval_rows_and_modes_that_cannot_be_judged_say_why(client: httpx.Client) -> None:
    for row, extra in ((CRUX, {"mode": "output"}), ({**CRUX, "input": "2"}, {})):
        assert post(client, "CruxEvalDataset", row, "1", extra=extra).status_code == 400


@pytest.mark.parametrize(
    ("completion", "accepted"),
    [
        ("y = x + 1", True),
        ("\n\n    y  =  x + 1  \nmore", True),
        ("# a comment\n\ny = x + 1", True),
        ('"""\na text\n"""\ny = x + 1', True),
        ("y = x+1", False),
        ("", False),
        ("# y = x + 1", False),
    ],
)
def test_the_next_line_has_the_same_words(
    client: httpx.Client, completion: str, accepted: bool
) -> None:
    row = {"id": 1, "next_line": "    y = x + 1\n"}
    result = submit(client, "RepobenchCDataset", row, completion)
    assert result["accepted"] is accepted and len(result["tests"]) == 1


# -- prompts


def test_a_row_is_found_by_its_id_of_either_type(client: httpx.Client) -> None:
    rows = [{"id": n, "content": f"no {n}", "labels": "{}"} for n in range(3)]
    config = {"dataset_type": "AutoEvalDataset", "provided_data": rows}
    for row_id in (2, "2"):
        body = {"dataset": "x", "id": row_id, "config": config}
        answer = client.post("/get_prompt_by_id", json=body).json()
        assert answer == {"id": 2, "prompt": "no 2", "labels": {}}


@pytest.mark.parametrize("route", ["/get_prompts", "/get_prompt_by_id"])
def test_an_id_of_thousands_of_digits_is_none(client: httpx.Client, route: str) -> None:
    rows = '[{"id": ' + "7" * 5000 + ', "content": "x"}]'
    text = (
        '{"dataset": "x", "id": 7, "config": {"dataset_type": "AutoEvalDataset", '
        f'"provided_data": {rows}}}}}'
    )
    assert client.post(route, content=text).status_code in (400, 422)


@pytest.mark.parametrize(
    ("config", "status", "word"),
    [
        ({"dataset_type": "MBPPDataset"}, 501, "holds no data sets"),
        ({"dataset_type": "MBPPDataset", "provided_data": {"id": 1}}, 400, "list of rows"),
        ({"dataset_type": "MBXPDataset", "provided_data": []}, 400, "knows the types"),
        ({"provided_data": []}, 400, "knows the types"),
        ({"dataset_type": "MBPPDataset", "provided_data": [{"id": 1}]}, 400, "test_list"),
        ({"dataset_type": "RepobenchPDataset", "provided_data": []}, 501, "tokenizer"),
        ({"dataset_type": "AutoEvalDataset", "provided_data": [{"content": "x"}]}, 400, "no id"),
        ({"dataset_type": "AutoEvalDataset", "is_fewshot": True,
          "provided_data": [{"id": 1, "content": "x"}]}, 400, "fewshot"),
    ],
)  # fmt: skip
def test_prompts_that_cannot_be_made_say_why(
    client: httpx.Client, config: dict[str, Any], status: int, word: str
) -> None:
    response = client.post("/get_prompts", json={"dataset": "x", "config": config})
    assert response.status_code == status, response.text
    assert word in response.json()["detail"]


def test_a_data_set_of_sandbox_fusion_needs_no_type(client: httpx.Client) -> None:
    config = {"provided_data": [{**MBPP, "content": "Is it odd?"}]}
    answer = client.post("/get_prompts", json={"dataset": "mbpp", "config": config})
    assert "assert not odd(2)" in answer.json()[0]["prompt"]


def test_worked_examples_end_where_the_completion_begins(client: httpx.Client) -> None:
    config = {"provided_data": [{**MBPP, "content": "Is it odd?"}], "is_fewshot": True}
    prompt = client.post("/get_prompts", json={"dataset": "mbpp", "config": config}).json()[0]
    assert prompt["prompt"].endswith("[BEGIN]\n") and "odd(3)" not in prompt["prompt"]
    assert prompt["prompt"].count("[DONE]") == 2


def test_metrics_are_none_but_by_category(client: httpx.Client) -> None:
    config = {"dataset_type": "MBPPDataset"}
    body = {"dataset": "mbpp", "config": config, "results": []}
    assert client.post("/get_metrics", json=body).json() == {}
    assert client.post("/get_metrics_function", json=body).json() == {"function": None}
