"""`ctrl-harness critics`: which there are, and whether one keeps the contract."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ctrl_harness.cli.options import executor_options
from ctrl_harness.critique.finding import CONTROL, find, known
from ctrl_harness.errors import CtrlHarnessError

if TYPE_CHECKING:
    from ctrl_harness.critique.contract import Bench, Finding
    from ctrl_harness.critique.critic import CriticFactory, Pair

EXIT_BROKEN = 1
_GRACE_S = 5.0
_POLL_S = 0.05
_PAIRS = 2


@click.group()
def critics() -> None:
    """List critics, and try them out (docs/critics.md)."""


@critics.command(name="list")
def list_critics() -> None:
    """Print each critic's name, whose it is, and what it does."""
    rows = [*known()]
    width = max(len(row.form) for row in rows)
    for form, origin, about in rows:
        click.echo(f"{form:<{width}}  {origin}: {about}")
    click.echo(f"{CONTROL:<{width}}  ctrl-harness: the compute-matched control, -T arm=LOG")
    click.echo("or path/file.py:NAME (a factory or an Inspect agent), or package/NAME (an agent)")


@critics.command()
@click.argument("name")
@click.option("--model", help="Ask this model, greedily, in place of the played one.")
@click.option(
    "--timeout", default=60.0, show_default=True, type=click.FloatRange(min=0.1),
    help="Seconds that one critique may take.",
)  # fmt: skip
@executor_options
def check(
    name: str,
    model: str | None,
    timeout: float,
    executor: str | None,
    unsafe_no_isolation: bool,
    packages: tuple[str, ...],
) -> None:
    """Try out whether critic NAME keeps the contract; exit 0 only if it does.

    NAME is what `-T critic=…` takes. The model that the critic may ask is played, so that nothing
    is downloaded and nothing paid, unless --model names one.
    """
    # a second of imports, for this command alone
    from ctrl_harness.critique.contract import CHECKS, Bench
    from ctrl_harness.critique.pair_prompts import PairPrompts
    from ctrl_harness.critique.prompts import PromptSet
    from ctrl_harness.evaluation import agents  # noqa: F401 - agents are critics from here on
    from ctrl_harness.evaluation.parameters import critic as whole_name
    from ctrl_harness.evaluation.trial_models import trial_models
    from ctrl_harness.execution.choice import get_executor
    from ctrl_harness.verification.judge import Judge

    factory = find(whole_name("critic", name))
    chosen = get_executor(executor, unsafe_no_isolation=unsafe_no_isolation, packages=packages)
    bench = Bench(
        Judge(chosen),
        PromptSet("default", "codecontests"),
        trial_models(model),
        _sample_pairs(),
        PairPrompts("default", "pairwise"),
        timeout,
    )
    findings = _findings(factory, bench, _print)
    failed = [finding for finding in findings if finding.failure is not None]
    if failed:
        click.echo(f"{name} breaks the contract: {len(failed)} of {len(findings)} checks fail")
        sys.exit(EXIT_BROKEN)
    if len(findings) < len(CHECKS) or all(finding.skipped is not None for finding in findings):
        click.echo(f"nothing could be tried of {name}")
        sys.exit(EXIT_BROKEN)
    click.echo(f"{name} keeps the contract")


def _sample_pairs() -> list[Pair]:
    from ctrl_harness.critique.critic import Pair
    from ctrl_harness.problems import judgebench

    pairs = judgebench.load_pairs("samples")
    return [
        Pair(pair.id, pair.question, pair.response_A, pair.response_B)
        for pair in pairs.pairs[:_PAIRS]
    ]


def _print(finding: Finding) -> None:
    from ctrl_harness.critique.contract import CHECKS

    about = next(check.about for check in CHECKS if check.name == finding.check)
    if finding.failure is not None:
        click.echo(f"FAILS    {finding.check}: {finding.failure} (asked: {about})")
    elif finding.skipped is not None:
        click.echo(f"skipped  {finding.check}: {finding.skipped}")
    else:
        click.echo(f"holds    {finding.check}: {about}")


def _findings(
    factory: CriticFactory, bench: Bench, tell: Callable[[Finding], None]
) -> list[Finding]:
    """Runs the checks in a thread of its own: of a critic that never lets go of its event loop,
    no limit within that loop would ever be heard."""
    from ctrl_harness.evaluation.trial import try_out_in_eval

    findings: list[Finding] = []
    crashed: list[CtrlHarnessError] = []
    beats = [time.monotonic()]

    def take(finding: Finding) -> None:
        tell(finding)
        findings.append(finding)

    def beat() -> None:
        beats[0] = time.monotonic()

    def run() -> None:
        try:
            try_out_in_eval(factory, bench, tell=take, beat=beat, every_s=_POLL_S)
        except CtrlHarnessError as error:
            crashed.append(error)

    thread = threading.Thread(target=run, name="contract", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_S)
        if time.monotonic() - beats[0] > bench.timeout_s + _GRACE_S and thread.is_alive():
            _give_up(findings)
    if crashed:
        raise crashed[0]
    return findings


def _give_up(findings: list[Finding]) -> None:
    """Ends this process: nothing else ends a thread that never waits."""
    from ctrl_harness.critique.contract import CHECKS, Finding

    stuck = CHECKS[len(findings)]
    _print(
        Finding(
            stuck.name,
            "the critic never lets go of the event loop, not even when its time is over; use "
            "await, or anyio.to_thread.run_sync for what takes long",
        )
    )
    click.echo("the checks after it could not be run")
    sys.stdout.flush()
    os._exit(EXIT_BROKEN)
