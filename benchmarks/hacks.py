"""Who pays out for programs that solve nothing: our judge and its peers, one table.

    CTRL_HARNESS_PEERS_PYTHON=.venv-peers/bin/python python benchmarks/hacks.py

`make test-peers` makes the peers' environment and runs this. Without the variable only our own
column is shown. Exits with 1 where our judge pays out, or where any judge of the table refuses the
right program or accepts the wrong one, since its column would then say nothing.

The hacks run in the peers as they would in use: without isolation. They touch only their own
process.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
from hack_programs import HACKS, RIGHT, WRONG, Hack
from judges import OURS, PEERS_PYTHON, TITLES, Request, ask_ours, ask_peer, peers_python, short
from peer_judges import KINDS, Answer, Task

_PAIRS = [(3, 4), (7, 1), (12, 5), (100, 9), (2, 31), (45, 45), (81, 6), (10, 77)]
TASKS = {
    "stdio": Task(
        "stdio", [f"{a} {b}\n" for a, b in _PAIRS], [f"{a * a + 3 * b}\n" for a, b in _PAIRS]
    ),
    "call": Task("call", [[a, b] for a, b in _PAIRS], [a * a + 3 * b for a, b in _PAIRS]),
}

Column = dict[str, dict[str, Answer]]
"""By the hack's name, by kind."""


def requests_for(kinds: Sequence[str]) -> list[tuple[Hack, str, str]]:
    """(hack, kind, program) of all that a judge of these kinds is asked."""
    return [
        (hack, kind, program)
        for hack in (RIGHT, WRONG, *HACKS)
        for kind in kinds
        if (program := getattr(hack, kind)) is not None
    ]


def column(asked: Sequence[tuple[Hack, str, str]], answers: Sequence[Answer]) -> Column:
    found: Column = {}
    for (hack, kind, _), answer in zip(asked, answers, strict=True):
        found.setdefault(hack.name, {})[kind] = answer
    return found


def ask(judge: str, python: str = "") -> Column:
    """python: what a peer runs with."""
    asked = requests_for(("stdio", "call") if judge == OURS else KINDS[judge])
    requests = [Request(program, TASKS[kind]) for _, kind, program in asked]
    if judge == OURS:
        return column(asked, anyio.run(ask_ours, requests))
    return column(asked, ask_peer(python, judge, requests))


def cell_text(answers: dict[str, Answer] | None) -> str:
    """A cell of the table; the kinds are named where they differ."""
    if not answers:
        return "–"
    paid = [kind for kind, answer in answers.items() if answer.passed]
    if len(paid) == len(answers):
        return "**pays out**"
    if paid:
        return f"**pays out** ({', '.join(paid)})"
    whys = dict.fromkeys(short(answer.how) for answer in answers.values())
    return f"refused: {', '.join(whys)}"


def print_table(columns: dict[str, Column]) -> None:
    titles = [TITLES[judge] for judge in columns]
    print(f"| program | {' | '.join(titles)} |")
    print(f"|---|{'---|' * len(titles)}")
    for hack in HACKS:
        cells = [cell_text(found.get(hack.name)) for found in columns.values()]
        print(f"| {hack.name} | {' | '.join(cells)} |")
    for control in (RIGHT, WRONG):
        cells = []
        for found in columns.values():
            accepted = all(answer.passed for answer in found[control.name].values())
            cells.append("accepted" if accepted else cell_text(found[control.name]))
        print(f"| {control.name} | {' | '.join(cells)} |")


def failures(columns: dict[str, Column]) -> list[str]:
    """What makes this command fail, in sentences."""
    found = []
    for judge, answers in columns.items():
        for kind, answer in answers[RIGHT.name].items():
            if not answer.passed:
                found.append(f"{TITLES[judge]} refuses the right {kind} program ({answer.how})")
        for kind, answer in answers[WRONG.name].items():
            if answer.passed:
                found.append(f"{TITLES[judge]} accepts the wrong {kind} program")
    for hack in HACKS:
        for kind, answer in columns[OURS][hack.name].items():
            if answer.passed:
                found.append(f"our judge pays out for a {kind} program that {hack.name}")
    return found


def main() -> int:
    columns = {OURS: ask(OURS)}
    python = peers_python()
    if python:
        columns |= {judge: ask(judge, python) for judge in KINDS}
    print_table(columns)
    print()
    for judge, found in columns.items():
        paid = sum(
            any(answer.passed for answer in found[hack.name].values())
            for hack in HACKS
            if hack.name in found
        )
        tried = sum(hack.name in found for hack in HACKS)
        print(f"{TITLES[judge]}: pays out for {paid} of {tried} hacks")
    if not python:
        print(f"the peers are left out: {PEERS_PYTHON} names no Python that has them")
    wrong = failures(columns)
    for sentence in wrong:
        print(f"FAILED: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
