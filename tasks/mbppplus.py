"""MBPP+ with critique and revision: `inspect eval tasks/mbppplus.py --model …`."""

from functools import partial
from typing import Unpack

from inspect_ai import Task, task

from ctrl_harness.evaluation.settings import Given
from ctrl_harness.evaluation.task import critique_task
from ctrl_harness.problems import mbppplus as problems


@task
def mbppplus(
    source: str = "hub",
    revision: str | None = None,
    protocol: str = "default",
    executor: str | None = None,
    unsafe_no_isolation: bool = False,
    packages: list[str] | str | None = None,
    leakage: bool = True,
    all_cases: bool = False,
    arm: str | None = None,
    drafts: str | None = None,
    **settings: Unpack[Given],
) -> Task:
    """Short functions (evalplus/mbppplus), judged on base and plus calls by each row's own rule.

    Args:
        source: samples (shipped), hub, or a local jsonl, jsonl.gz or parquet file or folder.
        revision: Commit of the Hub's repository; its main branch by default, resolved and logged.
        protocol: default, or ctrl, the paper's (docs/protocols.md).
        executor: embedded (isolated), inspect_sandbox, sandbox_fusion or process.
        unsafe_no_isolation: Programs run with your rights, without isolation (executor process).
        packages: Installed packages that programs may import beside numpy: pandas,sympy.
        leakage: Looks for programs in critiques and judges them.
        all_cases: Runs the tests after a program's first failing one too, to count those it passes.
        arm: With critic=none, the log of the critic arm whose tokens this control spends.
        drafts: A file of frozen drafts to start from (docs/compare.md).
        settings: What differs from the protocol: tests (all: base and plus; public: the asserts of
            test_list), turns, critic, prompts and all else that docs/tasks.md lists.
    """
    return critique_task(
        "mbppplus",
        partial(problems.load, revision=revision),
        source=source,
        protocol_name=protocol,
        executor=executor,
        unsafe_no_isolation=unsafe_no_isolation,
        packages=packages,
        leakage=leakage,
        all_cases=all_cases,
        arm=arm,
        drafts=drafts,
        **settings,
    )
