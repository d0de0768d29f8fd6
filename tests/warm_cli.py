"""Runs command lines in forks of a process that has already imported Inspect.

Importing Inspect takes seconds and every command line does it anew; a fork does not, and goes
through the same console entry with the same arguments, folder, environment and exit code. Reads
one JSON object a line: entry ("module:function"), argv, cwd, environment, stdout and stderr (files
to write). Answers with the exit code.
"""

import contextlib
import gc
import importlib
import json
import os
import sys

import inspect_ai.model


def run_child(job):
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environment"])
    for number, path in ((0, os.devnull), (1, job["stdout"]), (2, job["stderr"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = job["argv"]
    module, _, function = job["entry"].partition(":")
    code = 0
    try:
        code = getattr(importlib.import_module(module), function)()
    except SystemExit as stop:
        code = stop.code
    except BaseException:  # noqa: BLE001 (as the interpreter ends a program)
        sys.excepthook(*sys.exc_info())
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)


def warm_up():
    """Loads what an evaluation loads on its way: a second and a half of every command line.

    Not what is ours: it notes the folder it is first imported in, which is the user's.
    """
    for name in (
        *("inspect_ai._cli.main", "inspect_ai.agent._acp.server", "fastapi", "uvicorn"),
        *("inspect_ai.model._openai_responses", "jinja2", "rich.markdown"),
    ):
        with contextlib.suppress(ImportError):  # an extra, or a name of another version
            importlib.import_module(name)
    inspect_ai.model.get_model_info("openai/gpt-4o")  # reads the table of models
    gc.freeze()


def main():
    warm_up()
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    for line in requests:
        child = os.fork()
        if child == 0:
            run_child(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
