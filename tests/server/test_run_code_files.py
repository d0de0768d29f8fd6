"""`/run_code`: files beside the program, files that come back, and the program's last words."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ctrl_harness.execution.fetching import fetch


def encoded(files: dict[str, str]) -> dict[str, str]:
    return {path: base64.b64encode(text.encode()).decode() for path, text in files.items()}


def run(client: httpx.Client, code: str, **fields: Any) -> dict[str, Any]:
    response = client.post("/run_code", json={"code": code, "language": "python", **fields})
    assert response.status_code == 200, response.text
    data: dict[str, Any] = response.json()
    return data


def printed(client: httpx.Client, code: str, files: dict[str, str]) -> str:
    answer = run(client, code, files=encoded(files))
    assert answer["status"] == "Success", answer
    return str(answer["run_result"]["stdout"])


def test_modules_and_packages_beside_the_program_are_imported(client: httpx.Client) -> None:
    assert printed(client, "import helper\nprint(helper.x)", {"helper.py": "x = 3"}) == "3\n"
    code = "from tools.deep import mod\nfrom tools import name\nprint(mod.f(), name)"
    package = {
        "tools/__init__.py": "name = 'n'",
        "tools/deep/mod.py": "from .. import name\ndef f(): return name * 2",
    }
    assert printed(client, code, package) == "nn n\n"


@pytest.mark.parametrize("name", ["statistics", "heapq", "queue", "typing", "json"])
def test_a_module_beside_the_program_goes_before_the_standard_library(
    client: httpx.Client, name: str
) -> None:
    code = f"import {name}\nprint({name}.own)"
    assert printed(client, code, {f"{name}.py": "own = 1"}) == "1\n"
    assert run(client, code)["status"] == "Failed", "the next program has the library's"


def test_what_an_interpreter_starts_with_cannot_be_replaced(client: httpx.Client) -> None:
    files = {"os.py": "own = 1", "sys.py": "own = 1", "io.py": "own = 1"}
    code = "import os, sys, io\nprint(any(hasattr(m, 'own') for m in (os, sys, io)))"
    assert printed(client, code, files) == "False\n"


def test_a_module_of_the_programs_own_name_is_that_module(client: httpx.Client) -> None:
    code = "import program\nprint(program.x, program.__file__ == __file__)"
    assert printed(client, code, {"program.py": "x = 1"}) == "1 True\n"


def test_the_program_has_a_file_in_the_folder_it_works_in(client: httpx.Client) -> None:
    code = "import os, sys\nprint(os.path.dirname(__file__) == os.getcwd() == sys.path[0])"
    assert printed(client, code, {}) == "True\n"
    code = "print(open(__file__).read(), end='')"
    assert printed(client, code, {}) == code


def test_a_traceback_goes_through_a_module_and_names_its_file(client: httpx.Client) -> None:
    files = encoded({"helper.py": "def f():\n    raise KeyError('k')\n"})
    stderr = run(client, "import helper\nhelper.f()", files=files)["run_result"]["stderr"]
    assert stderr.startswith("Traceback (most recent call last):\n  File ")
    assert 'helper.py", line 2, in f\n' in stderr and stderr.endswith("KeyError: 'k'\n")


def test_the_last_words_of_a_program_are_kept(client: httpx.Client) -> None:
    for words in ("last words", "ZeroDivisionError", "1/0"):
        code = f"import sys\nprint({words!r}, file=sys.stderr)\n1/0"
        stderr = run(client, code)["run_result"]["stderr"]
        assert stderr.startswith(f"{words}\nTraceback (most recent call last):\n")
        assert stderr.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize(
    ("code", "return_code", "stderr"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; print('e', file=sys.stderr); sys.exit(3)", 3, "e\n"),
        ("import os; os._exit(4)", 4, ""),
        ("import os; os._exit = None", 0, ""),
        ("import os; os._exit = None; 1/0", 1, "ZeroDivisionError: division by zero\n"),
        ("int a = 1", 1, "SyntaxError: invalid syntax\n"),
        ("import os; os.abort()", -6, "killed by SIGABRT"),
    ],
)
def test_return_code_and_stderr_are_those_of_the_process(
    client: httpx.Client, code: str, return_code: int, stderr: str
) -> None:
    result = run(client, code)["run_result"]
    assert result["return_code"] == return_code
    assert result["stderr"] == stderr or (stderr and result["stderr"].endswith(stderr))


def test_files_that_are_to_be_ignored_are_not_there(client: httpx.Client) -> None:
    files = {**encoded({"a": "1"}), "b/IGNORE_THIS_FILE": "", "c": None}
    answer = run(client, "import os\nprint(sorted(os.listdir()))", files=files)
    assert answer["run_result"]["stdout"] == "['a']\n"


def test_files_come_back_with_their_bytes(client: httpx.Client) -> None:
    code = (
        "import os\nos.mkdir('sub')\nopen('sub/b', 'wb').write(bytes(range(256)))\n"
        "open('a.txt', 'w').write('secret')\nopen('given', 'a').write('!')\nprint('done')"
    )
    names = ["a.txt", "sub/b", "./given", "none", "sub", "a.txt"]
    answer = run(client, code, files=encoded({"given": "given"}), fetch_files=names)
    assert answer["run_result"]["stdout"] == "done\n"
    fetched = {name: base64.b64decode(data) for name, data in answer["files"].items()}
    assert fetched == {"a.txt": b"secret", "sub/b": bytes(range(256)), "./given": b"given!"}
    assert run(client, "1", fetch_files=["a.txt"])["files"] == {}, (
        "each run has a folder of its own"
    )


@pytest.mark.parametrize("end", ["while True: pass", "1/0", "import os; os._exit(3)"])
def test_files_come_back_however_the_program_ended(client: httpx.Client, end: str) -> None:
    code = f"with open('a', 'w') as file: file.write('1')\n{end}"
    answer = run(client, code, fetch_files=["a"], run_timeout=1)
    assert answer["status"] == "Failed"
    assert answer["files"] == {"a": base64.b64encode(b"1").decode()}


def test_nothing_but_files_of_its_folder_comes_back(client: httpx.Client) -> None:
    code = (
        "import os, sys\nos.symlink(os.__file__, 'link')\nos.symlink('/', 'root')\n"
        "os.symlink('a', 'own')\nopen('a', 'w').write('1')\nos.symlink('x', 'x')\n"
        "print(os.__file__)"
    )
    library = run(client, "import os\nprint(os.__file__)")["run_result"]["stdout"].strip()
    names = ["link", "root", f"root{library}", library, "../a", "/etc/passwd", "x", "own", ""]
    answer = run(client, code, fetch_files=names)
    assert answer["status"] == "Success" and set(answer["files"]) == {"own"}


def test_what_is_too_large_together_is_left_out(client: httpx.Client) -> None:
    code = "for name in 'abc': open(name, 'wb').write(bytes(7 << 20))\nopen('d', 'w').write('1')"
    answer = run(client, code, fetch_files=list("abcd"))
    assert set(answer["files"]) == {"a", "b", "d"}


def test_names_that_cannot_be_files_are_refused(client: httpx.Client) -> None:
    for names, status in ((["a\0b"], 400), (["x" * 501], 400), (["x"] * 1001, 422), ([1], 422)):
        body = {"code": "1", "language": "python", "fetch_files": names}
        assert client.post("/run_code", json=body).status_code == status


def test_an_executor_that_brings_no_files_says_so(serve: Callable[..., Any]) -> None:
    with serve("--workers", "1", "--unsafe-no-isolation").client() as client:
        body = {"code": "print(1)", "language": "python"}
        assert client.post("/run_code", json=body).status_code == 200
        refused = client.post("/run_code", json={**body, "fetch_files": ["a"]})
        assert refused.status_code == 501 and "brings no files back" in refused.json()["detail"]


def test_a_pipe_is_not_waited_for(tmp_path: Any) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"1")
    assert fetch(str(tmp_path), ["pipe", "file"], 10) == [(1, b"1")]


def test_modules_beside_the_program_are_imported_without_cells_too(
    serve: Callable[..., Any],
) -> None:
    with serve("--workers", "1", "--unsafe-no-isolation").client() as client:
        assert printed(client, "import helper\nprint(helper.x)", {"helper.py": "x = 3"}) == "3\n"
