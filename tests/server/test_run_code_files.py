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
