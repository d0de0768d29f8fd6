"""What programs may import beside the standard library."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from ctrl_harness.errors import UserError
from ctrl_harness.execution import packages
from ctrl_harness.execution.choice import get_executor
from ctrl_harness.execution.embedded import EmbeddedExecutor
from ctrl_harness.execution.executor import Program, Run, StdinInput
from ctrl_harness.execution.packages import find_packages
from ctrl_harness.problems.problem import Limits

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one module into an environment of this test's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    packages._find.cache_clear()

    def put(name: str, module: str, *requires: str) -> None:
        (tmp_path / module).mkdir()
        (tmp_path / module / "__init__.py").write_text(f"name = {name!r}\n")
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
        (info / "METADATA").write_text(
            "\n".join([*lines, *(f"Requires-Dist: {one}" for one in requires), ""])
        )
        (info / "RECORD").write_text(
            f"{module}/__init__.py,,\n{info.name}/METADATA,,\n../../bin/tool,,\n"
        )

    return put


def run(code: str, *names: str) -> Run:
    async def once() -> Run:
        executor = EmbeddedExecutor(1, names)
        try:
            return (await executor.execute(Program(code), [StdinInput("")], Limits(time_s=20)))[0]
        finally:
            await executor.aclose()

    return anyio.run(once)


@pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
def test_a_package_comes_with_what_it_requires_and_with_nothing_else(install: Install) -> None:
    install("alpha-dist", "alpha", "beta>=0.5", 'gamma; extra == "all"')
    install("beta", "beta", "delta")
    install("delta", "delta", "alpha-dist")  # in a circle
    install("gamma", "gamma")
    code = "import alpha, beta, delta\nprint(alpha.name, beta.name, delta.name)\nimport gamma"
    ran = run(code, "alpha-dist")
    assert ran.stdout == "alpha-dist beta delta\n"
    assert "No module named 'gamma'" in ran.error + ran.stderr


def test_a_package_is_found_by_the_name_of_its_module_too(install: Install) -> None:
    install("alpha-dist", "alpha")
    assert find_packages(["alpha"]) == find_packages(["alpha-dist"])
    assert find_packages(["alpha"]).modules == ("alpha",)


def test_what_is_not_installed_is_an_error_in_a_sentence(install: Install) -> None:
    install("alpha-dist", "alpha", "nowhere-to-be-found")
    with pytest.raises(UserError, match="'no-such-package' is not installed here"):
        get_executor(packages=["no-such-package"])
    with pytest.raises(UserError, match="alpha-dist needs nowhere-to-be-found, which is not"):
        get_executor(packages=["alpha-dist"])


@pytest.mark.parametrize("name", ["sandbox_fusion", "inspect_sandbox"])
def test_a_sandbox_elsewhere_has_packages_of_its_own(name: str) -> None:
    with pytest.raises(UserError, match="packages of its own sandbox"):
        get_executor(name, packages=["pandas"])


def test_executors_of_other_packages_are_others() -> None:
    usual, with_more = get_executor(), get_executor(packages=["packaging"])
    assert usual is not with_more and with_more is get_executor(packages=["packaging"] * 2)
    assert (usual.packages, with_more.packages) == (("numpy",), ("numpy", "packaging"))


@pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
def test_importing_a_large_package_is_not_the_time_of_the_program(
    install: Install, tmp_path: Path
) -> None:
    install("alpha-dist", "alpha")
    (tmp_path / "alpha" / "__init__.py").write_text("import time\ntime.sleep(2.5)\n")

    async def twice() -> list[Run]:
        executor = EmbeddedExecutor(1, ["alpha-dist"])
        try:
            inputs = [StdinInput(""), StdinInput("")]
            return await executor.execute(
                Program("import alpha\nprint(1)"), inputs, Limits(time_s=0.5)
            )
        finally:
            await executor.aclose()

    assert [(ran.status, ran.stdout) for ran in anyio.run(twice)] == [("ok", "1\n")] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="cells need Linux")
def test_a_package_that_cannot_be_imported_is_the_programs_affair(
    install: Install, tmp_path: Path
) -> None:
    install("alpha-dist", "alpha")
    (tmp_path / "alpha" / "__init__.py").write_text("raise RuntimeError('no such device')\n")
    assert run("print('alpha')", "alpha-dist").stdout == "alpha\n"
    ran = run("import alpha", "alpha-dist")
    assert ran.status == "runtime_error" and "no such device" in ran.error + ran.stderr
