"""`/run_code`: SandboxFusion's words for what came of one run."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest


def run(client: httpx.Client, code: str, **fields: Any) -> dict[str, Any]:
    response = client.post("/run_code", json={"code": code, "language": "python", **fields})
    assert response.status_code == 200, response.text
    data: dict[str, Any] = response.json()
    return data


def test_a_program_reads_stdin_and_its_output_comes_back(client: httpx.Client) -> None:
    answer = run(client, "print(input()[::-1])", stdin="né\n")
    assert answer["status"] == "Success"
    assert answer["message"] == "" and answer["compile_result"] is None and answer["files"] == {}
    result = answer["run_result"]
    assert (result["status"], result["return_code"], result["stdout"]) == ("Finished", 0, "én\n")
    assert 0 < result["execution_time"] < 5


@pytest.mark.parametrize(
    ("code", "message", "stderr"),
    [
        ("1/0", "", "ZeroDivisionError"),
        ("import sys; sys.exit('so be it')", "", "so be it"),
        ("import os; os.abort()", "", "SIGABRT"),
        ("print(", "", "SyntaxError"),
        ("import os; os.write(1, b'x' * (20 << 20))", "output_limit", ""),
    ],
)
def test_a_program_that_fails_is_failed(
    client: httpx.Client, code: str, message: str, stderr: str
) -> None:
    answer = run(client, code)
    assert (answer["status"], answer["message"]) == ("Failed", message)
    assert answer["run_result"]["status"] == "Finished"
    assert answer["run_result"]["return_code"] not in (0, None)
    assert stderr in answer["run_result"]["stderr"]


def test_exit_status_and_both_streams_come_back(client: httpx.Client) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(int(input()))"
    for status, summary in ((0, "Success"), (3, "Failed")):
        answer = run(client, code, stdin=str(status))
        result = answer["run_result"]
        assert (answer["status"], result["return_code"]) == (summary, status)
        assert result["stdout"] == "out\n" and "err" in result["stderr"]
    assert run(client, "import os; os.kill(os.getpid(), 9)")["run_result"]["return_code"] == -9


def test_a_program_out_of_time_has_no_return_code(client: httpx.Client) -> None:
    answer = run(client, "while True: pass", run_timeout=0.3)
    assert answer["status"] == "Failed"
    assert answer["run_result"]["status"] == "TimeLimitExceeded"
    assert answer["run_result"]["return_code"] is None
    assert 0.3 <= answer["run_result"]["execution_time"] < 5


def test_memory_is_limited_as_asked(client: httpx.Client) -> None:
    answer = run(client, "x = bytearray(200 << 20)", memory_limit_MB=100)
    assert (answer["status"], answer["message"]) == ("Failed", "memory_limit")
    assert run(client, "x = bytearray(50 << 20)", memory_limit_MB=150)["status"] == "Success"


def test_files_are_put_into_the_working_folder(client: httpx.Client) -> None:
    files = {"a/b.bin": base64.b64encode(b"\0\xff").decode(), "c.txt": None}
    answer = run(client, "print(open('a/b.bin', 'rb').read()); print(len(dir()))", files=files)
    assert answer["run_result"]["stdout"].startswith("b'\\x00\\xff'\n")
    answer = run(client, "import os; print(os.listdir())")
    assert answer["run_result"]["stdout"] == "[]\n", "the next request finds an empty folder"


@pytest.mark.parametrize(
    "files",
    [
        {"../x": "aa=="}, {"/etc/x": "aa=="}, {"": "aa=="}, {".": "aa=="}, {"a\0b": "aa=="},
        {"a": "aa==", "a/b": "aa=="}, {"x" * 300: "aa=="}, {"x": "no base64!é"},
        {"x": "A" * (24 << 20)}, {f"{n}/{'x/' * 100}f": "" for n in range(50)},
    ],
)  # fmt: skip
def test_files_that_have_no_place_are_refused(client: httpx.Client, files: Any) -> None:
    body = {"code": "", "language": "python", "files": files}
    response = client.post("/run_code", json=body)
    assert response.status_code == 400, response.text
    assert "files" in response.json()["detail"]


def test_output_that_is_no_text_comes_back_readable(client: httpx.Client) -> None:
    answer = run(client, "import os; os.write(1, b'a\\xffb')")
    assert answer["run_result"]["stdout"] == "a\ufffdb"


@pytest.mark.parametrize(
    "change",
    [{"memory_limit_MB": 0}, {"memory_limit_MB": -1}, {"memory_limit_MB": -7},
     {"compile_timeout": 0}, {"compile_timeout": -1}, {"compile_timeout": 1e9}],
)  # fmt: skip
def test_limits_that_sandbox_fusion_takes_for_none(
    client: httpx.Client, change: dict[str, Any]
) -> None:
    assert run(client, "print(1)", **change)["run_result"]["stdout"] == "1\n"


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_run_timeout_of_nothing_is_over_before_it_starts(
    client: httpx.Client, seconds: float
) -> None:
    answer = run(client, "print(1)", run_timeout=seconds)
    assert answer["status"] == "Failed"
    assert answer["run_result"]["status"] == "TimeLimitExceeded"
    assert (answer["run_result"]["stdout"], answer["run_result"]["return_code"]) == ("", None)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"language": "cobol"}, 422), ({"language": "cpp"}, 422), ({"language": None}, 422),
        ({"code": None}, 422), ({"code": 1}, 422), ({"run_timeout": None}, 422),
        ({"run_timeout": 1e9}, 422), ({"run_timeout": 400}, 400),
        ({"compile_timeout": None}, 422), ({"memory_limit_MB": None}, 422),
        ({"memory_limit_MB": "all"}, 422),
        ({"memory_limit_MB": 900_000}, 400), ({"memory_limit_MB": 1}, 200),
        ({"stdin": 3}, 422), ({"files": []}, 422), ({"fetch_files": "a"}, 422),
        ({"code": "a\0b"}, 200), ({"unknown_field": 1}, 200),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused(
    client: httpx.Client, change: dict[str, Any], status: int
) -> None:
    body = {"code": "print(1)", "language": "python", **change}
    response = client.post("/run_code", json=body)
    assert response.status_code == status, response.text
    if status != 200:
        assert response.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe",
        b'{"code": "1", "language": "python", "run_timeout": NaN}',
        b'{"code": "1", "language": "python", "run_timeout": 1e999}',
        b"[" * 100_000, b'{"code": ' + b"9" * 5000 + b', "language": "python"}',
    ],
)  # fmt: skip
def test_malformed_bodies_are_refused(client: httpx.Client, body: bytes) -> None:
    response = client.post("/run_code", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422), response.text


def test_lone_surrogates_do_not_compile(client: httpx.Client) -> None:
    body = b'{"code": "print(\'\\ud800\')", "language": "python", "stdin": "\\udfff"}'
    response = client.post("/run_code", content=body, headers={"content-type": "application/json"})
    assert response.json()["status"] == "Failed"
    assert "surrogates not allowed" in response.json()["run_result"]["stderr"]


def test_source_of_ten_megabytes_ends_in_bounded_time(client: httpx.Client) -> None:
    answer = run(client, "x = 1\n" * (10 * 2**20 // 6), run_timeout=2)
    assert answer["status"] in ("Success", "Failed")


def test_programs_import_the_packages_that_the_server_names(serve: Callable[..., Any]) -> None:
    server = serve("--workers", "1", "--package", "packaging")
    code = "from packaging.version import Version\nprint(Version('1.9') < Version('1.10'))"
    with server.client() as client:
        assert run(client, code)["run_result"]["stdout"] == "True\n"
        assert 'packages="numpy, packaging"' in client.get("/metrics").text


def test_a_program_may_ask_to_print_more(client: httpx.Client) -> None:
    body = {"language": "python", "code": "print('x' * (20 << 20))", "output_mb": 24}
    answer = client.post("/run_code", json=body).json()
    assert answer["status"] == "Success"
    assert len(answer["run_result"]["stdout"]) == (20 << 20) + 1
    refused = client.post("/run_code", json={**body, "output_mb": 1000})
    assert refused.status_code == 400
    assert "output_mb is 1000, but this server allows at most 64" in refused.json()["detail"]
