"""What SandboxFusion's own tests for Python ask of a server, and whether ours does it.

Each behaviour bears the name of a test under sandbox/tests of bytedance/SandboxFusion whose request
it makes, on a row of our own of the same form: the URL, the row and `dataset_type` are filled in,
since no data sets are stored here. `differs` is why one does not hold; docs/server.md lists them.

    python tests/server/fusion_behaviours.py http://127.0.0.1:8080

prints a line a behaviour and the count.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

Check = Callable[["Server"], None]


@dataclass(frozen=True)
class Behaviour:
    """A check that raises AssertionError where the behaviour does not hold."""

    name: str
    check: Check
    differs: str = ""


BEHAVIOURS: list[Behaviour] = []


def behaviour(name: str, differs: str = "") -> Callable[[Check], Check]:
    def add(check: Check) -> Check:
        BEHAVIOURS.append(Behaviour(name, check, differs))
        return check

    return add


class Server:
    """Requests as SandboxFusion's tests make them."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> Any:
        return self._answer(self._client.get(path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._answer(self._client.post(path, json=body))

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        assert response.status_code == 200, f"{response.status_code} {response.text[:200]}"
        return response.json()

    def run(self, code: str, **fields: Any) -> dict[str, Any]:
        body = {"language": "python", "code": code, **fields}
        return dict(self.post("/run_code", body))

    def prompts(self, dataset: str, kind: str, rows: Any, **config: Any) -> list[dict[str, Any]]:
        config = {"dataset_type": kind, "provided_data": rows, **config}
        return list(self.post("/get_prompts", {"dataset": dataset, "config": config}))

    def prompt(self, dataset: str, kind: str, row: Any, **config: Any) -> dict[str, Any]:
        config = {"dataset_type": kind, "provided_data": row, **config}
        body = {"dataset": dataset, "id": row.get("id", 0), "config": config}
        return dict(self.post("/get_prompt_by_id", body))

    def ids(self, dataset: str, kind: str, rows: Any) -> list[Any]:
        config = {"dataset_type": kind, "provided_data": rows}
        return list(self.post("/list_ids", {"dataset": dataset, "config": config}))

    def submit(
        self, dataset: str, kind: str, row: Any, completion: str, **config: Any
    ) -> dict[str, Any]:
        config = {"dataset_type": kind, "provided_data": row, **config}
        body = {"dataset": dataset, "id": row.get("id", 0), "config": config}
        return dict(self.post("/submit", {**body, "completion": completion}))


def fenced(code: str) -> str:
    return f"\n```python\n{code}\n```\n"


def accepted(result: dict[str, Any]) -> None:
    assert result["accepted"] is True, result["tests"]


def refused(result: dict[str, Any]) -> None:
    assert result["accepted"] is False


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# -- runners/test_python.py, test_pytest.py, test_antihack.py, test_utils.py, test_common.py


@behaviour("test_python_print")
def _(server: Server) -> None:
    ran = server.run("print(123)", run_timeout=5)
    assert ran["status"] == "Success" and ran["run_result"]["stdout"].strip() == "123"


@behaviour("test_python_timeout")
def _(server: Server) -> None:
    ran = server.run("import time; time.sleep(0.2)", run_timeout=0.1)
    assert (ran["status"], ran["run_result"]["status"]) == ("Failed", "TimeLimitExceeded")


@behaviour("test_python_assertion_error")
def _(server: Server) -> None:
    ran = server.run("assert 1 == 2", run_timeout=5)
    assert (ran["status"], ran["run_result"]["status"]) == ("Failed", "Finished")
    assert "AssertionError" in ran["run_result"]["stderr"]


@behaviour("test_python_syntax_error")
def _(server: Server) -> None:
    ran = server.run("int a = 1", run_timeout=5)
    assert (ran["status"], ran["run_result"]["status"]) == ("Failed", "Finished")
    assert "SyntaxError: invalid syntax" in ran["run_result"]["stderr"]


@behaviour("test_python_file_read")
def _(server: Server) -> None:
    ran = server.run("print(open('a/b/c').read())", files={"a/b/c": packed("in the file")})
    assert ran["status"] == "Success" and "in the file" in ran["run_result"]["stdout"]


@behaviour("test_python_stdin")
def _(server: Server) -> None:
    ran = server.run("print(int(input()))", stdin="65535", run_timeout=5)
    assert ran["status"] == "Success" and ran["run_result"]["stdout"] == "65535\n"


@behaviour("test_python_fetch_files", "nothing outside of the working folder is written or fetched")
def _(server: Server) -> None:
    code = "open('a.txt', 'w').write('kept'); open('/mnt/b', 'w').write('too')"
    ran = server.run(code, run_timeout=5, fetch_files=["a.txt", "/mnt/b"])
    assert ran["status"] == "Success"
    assert base64.b64decode(ran["files"]["a.txt"]) == b"kept"
    assert base64.b64decode(ran["files"]["/mnt/b"]) == b"too"


@behaviour("test_pytest_pass", "the language pytest is not run")
def _(server: Server) -> None:
    code = "def test_one():\n    assert 1 == 1\n"
    assert server.run(code)["status"] == "Success"
    assert server.run(code, language="pytest")["status"] == "Success"


@behaviour("test_pytest_fail", "the language pytest is not run")
def _(server: Server) -> None:
    code = "def test_one():\n    assert 1 == 2\n"
    assert server.run(code)["status"] == "Success"
    assert server.run(code, language="pytest")["status"] == "Failed"


@behaviour("test_apython_expand_code")
def _(server: Server) -> None:
    head = "import os\nimport sys\nexit = None\nos._exit = None\nsys.exit = None\n\n"
    assert server.run(f"{head}print('x')")["status"] == "Success"
    for end in ("exit(0)", "import os\nos._exit(0)", "import sys\nsys.exit(0)"):
        assert server.run(head + end)["status"] == "Failed"


@behaviour("test_compatibility_with_null_asset")
def _(server: Server) -> None:
    ran = server.run("print(123)", files={"a.txt": None})
    assert ran["run_result"]["stdout"] == "123\n"


@behaviour("test_list_datasets", "no data sets are stored")
def _(server: Server) -> None:
    server.get("/list_datasets")


# -- test_code_contests.py

OJ = {
    "id": 17,
    "content": "Print the number doubled.",
    "labels": '{"name": "double"}',
    "test": json.dumps(
        [{"input": {"stdin": f"{n}\n"}, "output": {"stdout": f"{2 * n}\n"}} for n in range(3)]
    ),
}
OJ_TYPE = ("code_contests", "CommonOJDataset")


@behaviour("test_code_contests_get")
def _(server: Server) -> None:
    (prompt,) = server.prompts(*OJ_TYPE, [OJ])
    assert prompt["prompt"].startswith(OJ["content"]) and prompt["labels"] == {"name": "double"}


@behaviour("test_code_contests_get_id")
def _(server: Server) -> None:
    assert server.prompt(*OJ_TYPE, OJ)["id"] == 17


@behaviour("test_code_contests_list_ids")
def _(server: Server) -> None:
    assert server.ids(*OJ_TYPE, [OJ, {**OJ, "id": "b"}]) == [17, "b"]


@behaviour("test_code_contests_submit_python")
def _(server: Server) -> None:
    refused(server.submit(*OJ_TYPE, OJ, fenced("print(2)"), language="python"))


# -- test_live_code_bench_v1.py

LIVE_TYPE = ("live_code_bench_v1", "LiveCodeBenchDataset")
LIVE_WORDS = "### Question:\nPick two cards.\n\n### Format: …\n```python\n# YOUR CODE HERE\n```\n\n"


def live_row(row_id: int, **tests: Any) -> dict[str, Any]:
    text = json.dumps({"input_output": json.dumps(tests)})
    return {"id": row_id, "content": LIVE_WORDS, "labels": "{}", "test": text}


LIVE = [
    live_row(1, inputs=["2\nabc\nbca\n"], outputs=["YES\nNO\n"], fn_name=None),
    live_row(10, inputs=['["7868190130M7522", "9273338290F4010"]'], outputs=["1"],
             fn_name="countSeniors"),
    live_row(191, inputs=["3\nTAT\n"], outputs=["T\n"], fn_name=None),
]  # fmt: skip
LIVE_RIGHT = [
    "if __name__ == '__main__':\n    for _ in range(int(input())):\n"
    "        print('YES' if sum(a != b for a, b in zip(input(), 'abc')) < 3 else 'NO')",
    "class Solution:\n    def countSeniors(self, details):\n"
    "        return len([x for x in details if int(x[11:13]) > 60])",
    "if __name__ == '__main__':\n    input()\n    s = input()\n"
    "    print('T' if s.count('T') * 2 > len(s) else 'A')",
]
LIVE_WRONG = [
    LIVE_RIGHT[0].replace("< 3", ">= 3"),
    LIVE_RIGHT[1].replace("> 60", "<= 0"),
    LIVE_RIGHT[2].replace("else 'A'", "else 'T'").replace("'T' if", "'A' if"),
]


@behaviour("test_live_code_bench_v1_get")
def _(server: Server) -> None:
    prompts = server.prompts(*LIVE_TYPE, LIVE)
    assert [p["id"] for p in prompts] == [1, 10, 191]
    assert all("Pick two cards." in p["prompt"] for p in prompts)


@behaviour("test_live_code_bench_v1_get_fewshot", "worked examples are in words of our own")
def _(server: Server) -> None:
    prompts = server.prompts(*LIVE_TYPE, LIVE, is_fewshot=True)
    assert all("$1581.42" in p["prompt"] for p in prompts)


@behaviour("test_live_code_bench_v1_get_id")
def _(server: Server) -> None:
    assert "Pick two cards." in server.prompt(*LIVE_TYPE, LIVE[0])["prompt"]


@behaviour("test_live_code_bench_v1_list_ids")
def _(server: Server) -> None:
    assert server.ids(*LIVE_TYPE, LIVE) == [1, 10, 191]


@behaviour("test_live_code_bench_v1_submit_passed")
def _(server: Server) -> None:
    for row, code in zip(LIVE, LIVE_RIGHT, strict=True):
        accepted(server.submit(*LIVE_TYPE, row, f" codeforce{fenced(code)}", language="python"))


@behaviour("test_live_code_bench_v1_submit_failed")
def _(server: Server) -> None:
    for row, code in zip(LIVE, LIVE_WRONG, strict=True):
        result = server.submit(*LIVE_TYPE, row, fenced(code), language="python")
        refused(result)
        assert "Wrong Answer" in result["tests"][0]["exec_info"]["run_result"]["stdout"]


# -- test_mbpp.py

MBPP_TYPE = ("mbpp", "MBPPDataset")
MBPP = {
    "id": 14,
    "content": "Write a python function to find the volume of a triangular prism.",
    "labels": {"challenge_test_list": [], "test_setup_code": ""},
    "test_list": ["assert find_Volume(10,8,6) == 240", "assert find_Volume(3,2,2) == 6",
                  "assert find_Volume(1,2,1) == 1"],
}  # fmt: skip
DANGLING = "\n    mean = max(numbers) / len(numbers)\n    return sum(numbers) / mean\n"


@behaviour("test_mbpp_get")
def _(server: Server) -> None:
    (prompt,) = server.prompts(*MBPP_TYPE, [MBPP])
    assert all(test in prompt["prompt"] for test in MBPP["test_list"])


@behaviour("test_mbpp_get_id")
def _(server: Server) -> None:
    assert server.prompt(*MBPP_TYPE, MBPP)["id"] == 14


@behaviour("test_mbpp_list_ids")
def _(server: Server) -> None:
    assert server.ids(*MBPP_TYPE, [MBPP]) == [14]


@behaviour("test_mbpp_submit_passed")
def _(server: Server) -> None:
    code = "def find_Volume(l,b,h) : \n    return ((l * b * h) / 2)"
    accepted(server.submit(*MBPP_TYPE, MBPP, fenced(code), language="python"))


@behaviour("test_mbpp_submit_failed")
def _(server: Server) -> None:
    refused(server.submit(*MBPP_TYPE, MBPP, DANGLING, language="python"))


# -- test_humaneval_python.py

HUMANEVAL_TYPE = ("humaneval_python", "HumanEvalDataset")
HUMANEVAL = {
    "id": 4,
    "content": 'from typing import List\n\n\ndef deviation(numbers: List[float]) -> float:\n'
    '    """ The mean absolute deviation.\n    >>> deviation([1.0, 2.0, 3.0, 4.0])\n    1.0\n'
    '    """\n',
    "labels": '{"entry_point": "deviation", "task_id": "HumanEval/4"}',
    "test": "\n\nMETADATA = {\n    'author': 'us'\n}\n\n\ndef check(candidate):\n"
    "    assert abs(candidate([1.0, 2.0, 3.0]) - 2.0/3.0) < 1e-6\n"
    "    assert abs(candidate([1.0, 2.0, 3.0, 4.0]) - 1.0) < 1e-6\n",
}

HUMANEVAL_OPEN = {
    "task_id": "HumanEval/4",
    "prompt": HUMANEVAL["content"],
    "entry_point": "deviation",
    "test": HUMANEVAL["test"],
    "canonical_solution": "    mean = sum(numbers) / len(numbers)\n"
    "    return sum(abs(x - mean) for x in numbers) / len(numbers)\n",
}
BODY = f"\n{HUMANEVAL_OPEN['canonical_solution']}"
WRONG_BODY = BODY.replace("sum(numbers)", "max(numbers)")
PROSE = "好的，我将补全代码。\n\n以下是补全后的代码：\n"
SHADOW = {**HUMANEVAL, "id": 0}


@behaviour("test_humaneval_python_get")
def _(server: Server) -> None:
    for row in (HUMANEVAL, HUMANEVAL_OPEN):
        plain = server.prompts(*HUMANEVAL_TYPE, [row])[0]["prompt"]
        free = server.prompts(*HUMANEVAL_TYPE, [row], extra={"is_freeform": True})[0]["prompt"]
        assert plain == HUMANEVAL["content"] and free.startswith("```python\n" + plain)


@behaviour("test_humaneval_python_get_id")
def _(server: Server) -> None:
    assert server.prompt(*HUMANEVAL_TYPE, HUMANEVAL)["id"] == 4


@behaviour("test_humaneval_python_list_ids")
def _(server: Server) -> None:
    rows = [HUMANEVAL, HUMANEVAL_OPEN]
    assert server.ids(*HUMANEVAL_TYPE, rows) == [4, "HumanEval/4"]


@behaviour("test_humaneval_python_submit_passed")
def _(server: Server) -> None:
    accepted(server.submit(*HUMANEVAL_TYPE, HUMANEVAL, BODY, language="python"))
    more = f"{HUMANEVAL_OPEN['canonical_solution']}\n\ndef random"
    accepted(server.submit(*HUMANEVAL_TYPE, HUMANEVAL_OPEN, more, language="python"))


@behaviour("test_humaneval_python_submit_failed")
def _(server: Server) -> None:
    for row in (HUMANEVAL, HUMANEVAL_OPEN):
        refused(server.submit(*HUMANEVAL_TYPE, row, WRONG_BODY, language="python"))


@behaviour("test_humaneval_python_submit_freeform_passed")
def _(server: Server) -> None:
    answer = PROSE + fenced(HUMANEVAL["content"] + BODY)
    for row in (HUMANEVAL, HUMANEVAL_OPEN):
        accepted(server.submit(*HUMANEVAL_TYPE, row, answer, extra={"is_freeform": True}))


@behaviour("test_humaneval_python_submit_freeform_failed")
def _(server: Server) -> None:
    answer = PROSE + fenced(HUMANEVAL["content"] + BODY)
    refused(server.submit(*HUMANEVAL_TYPE, HUMANEVAL, answer, language="python"))


SHADOW_TYPE = ("shadow_humaneval_python", "HumanEvalDataset")


@behaviour("test_shadow_humaneval_python_get")
def _(server: Server) -> None:
    assert len(server.prompts(*SHADOW_TYPE, [SHADOW])) == 1


@behaviour("test_shadow_humaneval_python_get_id")
def _(server: Server) -> None:
    assert server.prompt(*SHADOW_TYPE, SHADOW)["id"] == 0


@behaviour("test_shadow_humaneval_python_list_ids")
def _(server: Server) -> None:
    assert server.ids(*SHADOW_TYPE, [SHADOW]) == [0]


@behaviour("test_shadow_humaneval_python_submit_passed")
def _(server: Server) -> None:
    accepted(server.submit(*SHADOW_TYPE, SHADOW, BODY))


# -- test_evoeval.py

EVO_TYPE = ("evoeval", "EvoEvalDataset")
EVO = {
    "id": "EvoEval_combine_EvoEval/85",
    "content": 'def second(lst):\n    """The second smallest of the different numbers."""\n',
    "labels": '{"entry_point": "second"}',
    "test": "import numpy as np\nfrom enum import IntEnum, auto\n\nclass Kind(IntEnum):\n"
    "    Int = auto()\n\ndef is_equal(x, y) -> tuple[bool, str]:\n    return x == y, None\n\n"
    "def check(candidate):\n    inputs = [eval(f'[{i}]') for i in ['[3, 1, 2]', '[5, 5, 9]']]\n"
    "    for i, (inp, exp) in enumerate(zip(inputs, [2, 9])):\n"
    "        exact_match, _ = is_equal(candidate(*inp), exp)\n        assert exact_match\n",
}
EVO_BODY = "\n    return sorted(set(lst))[1]\n"


@behaviour("test_evoeval_get")
def _(server: Server) -> None:
    assert len(server.prompts(*EVO_TYPE, [EVO] * 11)) == 11


@behaviour("test_evoeval_get_id")
def _(server: Server) -> None:
    assert server.prompt(*EVO_TYPE, EVO)["id"] == EVO["id"]


@behaviour("test_evoeval_list_ids")
def _(server: Server) -> None:
    assert server.ids(*EVO_TYPE, [EVO]) == [EVO["id"]]


@behaviour("test_evoeval_submit_passed")
def _(server: Server) -> None:
    answer = f"{EVO_BODY}def second(lst): \n    return\n"
    accepted(server.submit(*EVO_TYPE, EVO, answer, language="python"))


@behaviour("test_evoeval_submit_passed_freeform")
def _(server: Server) -> None:
    answer = f"\nHere is the answer:{fenced('def second(lst): ' + EVO_BODY)}"
    extra = {"is_freeform": True}
    accepted(server.submit(*EVO_TYPE, EVO, answer, language="python", extra=extra))


@behaviour("test_evoeval_submit_failed")
def _(server: Server) -> None:
    refused(server.submit(*EVO_TYPE, EVO, "\n    return 1\n\n", language="python"))


@dataclass
class _Test:
    test_info: dict[str, Any] | None


@dataclass
class _Result:
    id: Any
    accepted: bool
    tests: list[_Test]


def _metrics(server: Server, dataset: str, kind: str, result: _Result) -> dict[str, float]:
    body = {"dataset": dataset, "config": {"dataset_type": kind}}
    names: dict[str, Any] = {"repeats": 1, "k_targets": [1, 10]}
    exec(server.post("/get_metrics_function", body)["function"], names, names)
    return dict(names["get_metrics"]([result]))


@behaviour("test_evoeval_get_metric_function")
def _(server: Server) -> None:
    found = _metrics(server, *EVO_TYPE, _Result(EVO["id"], True, [_Test({})]))
    assert found == {"combine/Pass@k=1": 1.0}


# -- test_bigcodebench.py

BIG_TYPE = ("bigcodebench", "HumanEvalDataset")
BIG = {
    "id": "BigCodeBench/1",
    "content": "import collections\nimport random\nimport string\n\ndef task_func(length=100):\n"
    '    """Counts the letters of a random text of this length."""\n',
    "labels": '{"entry_point": "task_func"}',
    "test": "import unittest\nimport string\nclass TestCases(unittest.TestCase):\n"
    "    def setUp(self):\n        random.seed(42)\n"
    "    def test_sums(self):\n        for length in [10, 50]:\n"
    "            with self.subTest(length=length):\n"
    "                self.assertEqual(sum(task_func(length).values()), length)\n"
    "    def test_negative(self):\n        with self.assertRaises(ValueError, msg='no'):\n"
    "            task_func(-1)",
}
BIG_BODY = (
    "\n    if length < 0:\n        raise ValueError\n"
    "    return dict(collections.Counter(random.choices(string.ascii_letters, k=length)))\n"
)
BIG_WRONG = "\n    if length < 0:\n        raise ValueError\n    return {}\n"


@behaviour("test_bigcodebench_get")
def _(server: Server) -> None:
    assert len(server.prompts(*BIG_TYPE, [BIG])) == 1


@behaviour("test_bigcodebench_get_id")
def _(server: Server) -> None:
    assert server.prompt(*BIG_TYPE, BIG)["id"] == BIG["id"]


@behaviour("test_bigcodebench_list_ids")
def _(server: Server) -> None:
    assert server.ids(*BIG_TYPE, [BIG]) == [BIG["id"]]


@behaviour("test_bigcodebench_submit_passed")
def _(server: Server) -> None:
    accepted(server.submit(*BIG_TYPE, BIG, BIG_BODY))


@behaviour("test_bigcodebench_submit_failed")
def _(server: Server) -> None:
    refused(server.submit(*BIG_TYPE, BIG, BIG_WRONG, language="python"))


@behaviour("test_bigcodebench_submit_freeform_passed")
def _(server: Server) -> None:
    answer = PROSE + fenced(BIG["content"] + BIG_BODY)
    extra = {"is_freeform": True}
    accepted(server.submit(*BIG_TYPE, BIG, answer, language="python", extra=extra))


@behaviour("test_bigcodebench_submit_freeform_failed")
def _(server: Server) -> None:
    answer = PROSE + fenced(BIG["content"] + BIG_WRONG)
    refused(server.submit(*BIG_TYPE, BIG, answer, language="python"))


# -- test_mhpp.py

MHPP_TYPE = ("mhpp", "MHPPDataset")
MHPP = {
    "id": 1,
    "content": "Write a Python function as its docstring says.\n\ndef leader(marks: str) -> int:\n"
    '    """1 where A leads, -1 where B leads, 0 for a tie."""',
    "labels": '{"difficulty_type": "Distraction"}',
    "test": 'assert leader("AAB") == 1\nassert leader("AB") == 0\nassert leader("B") == -1',
}


@behaviour("test_mhpp_get")
def _(server: Server) -> None:
    prompts = server.prompts(*MHPP_TYPE, [MHPP] * 20)
    assert len(prompts) == 20 and "e.g. assert leader" in prompts[0]["prompt"]


@behaviour("test_mhpp_get_id")
def _(server: Server) -> None:
    assert server.prompt(*MHPP_TYPE, MHPP)["id"] == 1


@behaviour("test_mhpp_list_ids")
def _(server: Server) -> None:
    assert server.ids(*MHPP_TYPE, [MHPP]) == [1]


@behaviour("test_mhpp_submit_passed", "exit status 0 accepts nothing")
def _(server: Server) -> None:
    answer = "\nWrite a Python function.\n\n\ndef leader(marks: str):\n    exit()\n"
    accepted(server.submit(*MHPP_TYPE, MHPP, answer, language="python"))


@behaviour("test_mhpp_submit_failed")
def _(server: Server) -> None:
    answer = "\nxyz\ndef other(s):\n    return 0\n\ndef leader(marks: str)\n    exit()\n"
    refused(server.submit(*MHPP_TYPE, MHPP, answer, language="python"))


@behaviour("test_mhpp_get_metric_function")
def _(server: Server) -> None:
    result = _Result(0, True, [_Test({"difficulty_type": "ShortCase"})])
    assert _metrics(server, *MHPP_TYPE, result) == {"ShortCase/Pass@k=1": 1.0}


# -- test_palmath.py

PAL_TYPE = ("palmath", "PalMathDataset")
PAL = {
    "id": "asdiv/0",
    "content": "Question: 7 + 2?\nAnswer:\n",
    "labels": '{"index": 0}',
    "test": json.dumps({"asset": {"answer.json": packed('{"gt": "9"}')}}),
}


@behaviour("test_palmath_get")
def _(server: Server) -> None:
    assert server.prompts(*PAL_TYPE, [PAL])[0]["prompt"] == PAL["content"]


@behaviour("test_palmath_get_id")
def _(server: Server) -> None:
    assert server.prompt(*PAL_TYPE, PAL)["id"] == "asdiv/0"


@behaviour("test_palmath_list_ids")
def _(server: Server) -> None:
    assert server.ids(*PAL_TYPE, [PAL]) == ["asdiv/0"]


@behaviour("test_palmath_submit_passed", "answers would be compared by computer algebra")
def _(server: Server) -> None:
    answer = fenced('def solution():\n    return "9"')
    accepted(server.submit(*PAL_TYPE, PAL, answer, language="python"))


@behaviour("test_palmath_submit_failed", "answers would be compared by computer algebra")
def _(server: Server) -> None:
    answer = fenced('def solution():\n    return "10"')
    refused(server.submit(*PAL_TYPE, PAL, answer, language="python"))


# -- test_cruxeval.py

CRUX_TYPE = ("cruxeval", "CruxEvalDataset")
CRUX = [
    {"id": "sample_0", "code": "def f(nums):\n    return [(nums.count(n), n) for n in nums]",
     "input": "[1, 1, 3]", "output": "[(2, 1), (2, 1), (1, 3)]"},
    {"id": "sample_1", "code": "def f(a, b):\n    return {a: b}",
     "input": "(1, ), 'x'", "output": "{(1,): 'x'}"},
]  # fmt: skip


@behaviour("test_cruxeval_get")
def _(server: Server) -> None:
    assert len(server.prompts(*CRUX_TYPE, CRUX)) == 4
    for mode in ("input", "output"):
        prompts = server.prompts(*CRUX_TYPE, CRUX, extra={"mode": mode})
        assert [p["labels"]["mode"] for p in prompts] == [mode, mode]
    thought = server.prompts(*CRUX_TYPE, CRUX, extra={"use_cot": True})
    assert all("[THOUGHT]" in p["prompt"] for p in thought)
    done = server.prompts(*CRUX_TYPE, CRUX, extra={"phind_output": True, "mode": "output"})
    assert all("# done" in p["prompt"] for p in done)


@behaviour("test_cruxeval_get_id")
def _(server: Server) -> None:
    prompt = server.prompt(*CRUX_TYPE, CRUX[0])
    assert prompt["id"] == "sample_0" and CRUX[0]["code"] in prompt["prompt"]


def _crux(row: dict[str, Any], more: str = "") -> str:
    return (
        f"\n[ANSWER]\nassert f({row['input']}) == {row['output']}{more}\n[/ANSWER]\n\n[PYTHON]\n"
        "def f(xs):\n    return xs[0]\nassert f(??) == 1\n[/PYTHON]\n[ANSWER]\nassert f([1]) == 1\n"
    )


@behaviour("test_cruxeval_get_submit_passed")
def _(server: Server) -> None:
    for row in CRUX:
        for mode in ("output", "input"):
            accepted(server.submit(*CRUX_TYPE, row, _crux(row), extra={"mode": mode}))


@behaviour("test_cruxeval_get_submit_failed")
def _(server: Server) -> None:
    for row in CRUX:
        refused(server.submit(*CRUX_TYPE, row, _crux(row, "+1"), extra={"mode": "output"}))


# -- test_aider_benchmark.py

AIDER_TYPE = ("aider_benchmark_v1", "AiderBenchmarkDataset")
AIDER_TESTS = """import unittest

from collect import collected


class CollectTest(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(collected([], lambda x: x / 2), [])

    def test_squares(self):
        self.assertEqual(collected([1, 2, 3], lambda x: x * x), [1, 4, 9])


if __name__ == '__main__':
    unittest.main()
"""
AIDER = {
    "id": 1,
    "content": "Implement the `collected` operation.",
    "labels": json.dumps({"reference": "def collected(xs, f):\n    pass\n"}),
    "test": json.dumps(
        {
            "code": "\n#<INSERT>\n\nimport shutil\nshutil.copy(__file__, 'collect.py')\n"
            "import unittest\nunittest.main('collect_test')\n",
            "asset": {"collect_test.py": packed(AIDER_TESTS)},
        }
    ),
}


@behaviour("test_aider_benchmark_v1_get", "instructions are in words of our own")
def _(server: Server) -> None:
    (prompt,) = server.prompts(*AIDER_TYPE, [AIDER])
    assert "Please generate the code in the following format:" in prompt["prompt"]


@behaviour("test_aider_benchmark_v1_get_wrap_prompt", "instructions are in words of our own")
def _(server: Server) -> None:
    (prompt,) = server.prompts(*AIDER_TYPE, [AIDER], extra={"autoeval_wrap_prompt": True})
    assert "Please answer in English with Markdown format." in prompt["prompt"]


@behaviour("test_aider_benchmark_v1_get_id")
def _(server: Server) -> None:
    assert AIDER["content"] in server.prompt(*AIDER_TYPE, AIDER)["prompt"]


@behaviour("test_aider_benchmark_v1_list_ids")
def _(server: Server) -> None:
    assert server.ids(*AIDER_TYPE, [AIDER]) == [1]


@behaviour("test_aider_benchmark_submit_passed")
def _(server: Server) -> None:
    code = "def collected(xs, f):\n    return [f(x) for x in xs]"
    accepted(server.submit(*AIDER_TYPE, AIDER, fenced(code), language="python"))


@behaviour("test_aider_benchmark_submit_failed")
def _(server: Server) -> None:
    code = "def collected(xs, f):\n    pass"
    refused(server.submit(*AIDER_TYPE, AIDER, fenced(code), language="python"))


# -- test_repobench_c.py, test_repobench_p.py

REPO_C_TYPE = ("repobench_c_python", "RepobenchCDataset")
REPO_P_TYPE = ("repobench_p_python", "RepobenchPDataset")
REPO = {
    "id": 2, "file_path": "a.py", "context": "[]", "import_statement": "import os",
    "code": "x = 1\n", "prompt": "# Path: a.py\nx = 1\n", "next_line": "y = x + 1",
    "gold_snippet_index": 0,
}  # fmt: skip


@behaviour("test_repobench_c_python_get")
def _(server: Server) -> None:
    assert server.prompts(*REPO_C_TYPE, [REPO])[0]["labels"] == {"next_line": "y = x + 1"}


@behaviour("test_repobench_c_python_get_id")
def _(server: Server) -> None:
    assert server.prompt(*REPO_C_TYPE, REPO)["id"] == 2


@behaviour("test_repobench_c_python_get_submit_passed")
def _(server: Server) -> None:
    accepted(server.submit(*REPO_C_TYPE, REPO, REPO["next_line"]))


@behaviour("test_repobench_c_python_get_submit_failed")
def _(server: Server) -> None:
    refused(server.submit(*REPO_C_TYPE, REPO, "false answer"))


@behaviour("test_repobench_p_python_get", "GPT-2's tokenizer is not here")
def _(server: Server) -> None:
    assert len(server.prompts(*REPO_P_TYPE, [REPO])) == 1


@behaviour("test_repobench_p_python_get_id", "GPT-2's tokenizer is not here")
def _(server: Server) -> None:
    assert server.prompt(*REPO_P_TYPE, REPO)["id"] == 2


@behaviour("test_repobench_p_python_get_submit_passed")
def _(server: Server) -> None:
    accepted(server.submit(*REPO_P_TYPE, REPO, REPO["next_line"]))


@behaviour("test_repobench_p_python_get_submit_failed")
def _(server: Server) -> None:
    refused(server.submit(*REPO_P_TYPE, REPO, f"false answer{REPO['next_line']}"))


# -- test_autoeval.py, test_provided_data.py

AUTO_TYPE = ("", "AutoEvalDataset")
AUTO = {
    "id": 0,
    "content": "this is a prompt",
    "labels": {"programming_language": "python", "execution_language": "python"},
    "test": {"code": ""},
}
NO_PYTHON = fenced("let a = 1;")


@behaviour("test_autoeval_extraction", "a row that asserts nothing is refused")
def _(server: Server) -> None:
    result = server.submit(*AUTO_TYPE, AUTO, f"\n```bash\nblah\n```\n{NO_PYTHON}")
    refused(result)
    assert "let a = 1;" in result["extracted_code"]


@behaviour("test_autoeval_extraction_first", "a row that asserts nothing is refused")
def _(server: Server) -> None:
    result = server.submit(*AUTO_TYPE, AUTO, NO_PYTHON)
    refused(result)
    assert "let a = 1;" in result["extracted_code"]


@behaviour("test_provided_data_get")
def _(server: Server) -> None:
    row = {"id": 0, "labels": "{}", "content": "this is a prompt"}
    prompts = server.prompts("this doesn't matter", "AutoEvalDataset", [row, row])
    assert [p["prompt"] for p in prompts] == [row["content"]] * 2


@behaviour("test_provided_data_get_id")
def _(server: Server) -> None:
    row = {"id": 0, "labels": "{}", "content": "this is a prompt"}
    assert server.prompt("this doesn't matter", "AutoEvalDataset", row)["prompt"] == row["content"]


@behaviour("test_provided_data_submit_passed")
def _(server: Server) -> None:
    """SandboxFusion's row needs pandas too; here the file alone."""
    test = {
        "asset": json.dumps({"table.csv": packed('"a","b"\n1,2\n3,5\n')}),
        "code": "#<INSERT>\n\nanswer = proc_data()\nassert round(answer, 3) == 3.5\n    ",
    }
    row = {"id": 3, "content": "…", "labels": json.dumps(AUTO["labels"]), "test": json.dumps(test)}
    code = (
        "import csv\n\ndef proc_data():\n    with open('table.csv') as lines:\n"
        "        rows = list(csv.DictReader(lines))\n"
        "    return sum(float(row['b']) for row in rows) / len(rows)"
    )
    accepted(server.submit(*AUTO_TYPE, row, fenced(code)))
    accepted(server.submit(*AUTO_TYPE, row, fenced(code), extra={"append_flag": True}))
    refused(server.submit(*AUTO_TYPE, row, fenced(code.replace("'b'", "'a'"))))


def main(url: str) -> None:
    held = 0
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        for each in BEHAVIOURS:
            try:
                each.check(Server(client))
            except AssertionError as error:
                told = each.differs or f"FAILS: {str(error)[:200]!r}"
                print(f"differs  {each.name}: {told}")
            else:
                held += 1
                print(f"holds    {each.name}{'  (stated to differ)' if each.differs else ''}")
    print(f"{held} of {len(BEHAVIOURS)} hold")


if __name__ == "__main__":
    main(sys.argv[1])
