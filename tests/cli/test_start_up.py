"""Commands that judge nothing start without what a judge, a model or a server is made of.

Said by modules and not by a clock, which a busy machine moves.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "inspect_ai", "torch", "transformers", "pyarrow", "numpy", "datasets", "fastapi", "uvicorn",
    "huggingface_hub", "markdown_it", "packaging", "xllamacpp",
}  # fmt: skip
"""What takes long to import, or is imported for little."""


def imported(code: str) -> set[str]:
    """The first parts of the names of what code imports, in an interpreter of its own."""
    tell = "import json, sys; print(json.dumps(sorted({n.split('.')[0] for n in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def command(*words: str) -> str:
    return (
        "import sys\n"
        f"sys.argv = {['ctrl-harness', *words]!r}\n"
        "from ctrl_harness.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass"
    )


@pytest.mark.parametrize("words", [("critics", "list"), ("--help",), ("critics", "--help")])
def test_a_command_that_judges_nothing_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    assert imported(command(*words)) & HEAVY == set()


def test_the_package_itself_imports_nothing_but_the_standard_library() -> None:
    added = imported("import ctrl_harness") - imported("import importlib, typing")
    assert {name for name in added if name not in sys.stdlib_module_names} <= {"ctrl_harness"}


def test_every_name_of_the_face_is_there() -> None:
    import ctrl_harness

    for name in ctrl_harness.__all__:
        assert getattr(ctrl_harness, name) is not None
    assert set(ctrl_harness.__all__) <= set(dir(ctrl_harness))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ctrl_harness.nothing  # noqa: B018


def test_inspect_s_list_of_tasks_imports_no_engine_and_no_trainer() -> None:
    found = imported("import ctrl_harness._registry")
    engines = {"torch", "transformers", "xllamacpp", "datasets", "fastapi", "packaging"}
    assert found & engines == set()
