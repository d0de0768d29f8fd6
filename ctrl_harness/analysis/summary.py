"""All numbers of a run, by name, in the order in which a table shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctrl_harness.analysis import discrimination, leakage
from ctrl_harness.analysis.estimate import Estimate
from ctrl_harness.analysis.pass_at_k import pass_at_k
from ctrl_harness.analysis.stopping import stopped
from ctrl_harness.analysis.transitions import (
    ChainStatistic,
    Outcome,
    by_problem,
    change,
    corrected,
    down,
    estimate_of,
    kept,
    mean_similarity,
    passes,
    relative_gain,
    time_limits,
    up,
)
from ctrl_harness.errors import UserError

_PASS_AT_K = (2, 5, 10, 20, 50, 100)


def summarise(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Metrics by name; shares between 0 and 1, NaN where nothing can be said.

    `*_turn_t` compares with the draft, `*_turn_s_to_t` with the turn before. `_stderr` is
    clustered by problem (estimate.py), `_n` the denominator of a ratio. `f1_*` and
    `missing_verdicts` are about the critic's verdicts on drafts, `…_turn_t` on later programs.
    `…_stopped_turn_t` is what stopping at "Correct" would have given. `pass_at_1` is that of the
    last turn; without outcomes it is the one metric, NaN. Raises UserError for outcomes with
    different numbers of turns.
    """
    if not outcomes:
        return {"pass_at_1": math.nan}
    lengths = {len(outcome.passed) for outcome in outcomes}
    if len(lengths) != 1:
        raise UserError(f"outcomes have different numbers of turns: {sorted(lengths)}")
    last = lengths.pop() - 1
    summary = _Summary(outcomes)
    turns = [summary.estimate(passes(turn)) for turn in range(last + 1)]
    summary["pass_at_1"] = turns[last].value
    for turn, found in enumerate(turns):
        summary[f"pass_at_1_turn_{turn}"] = found.value
    for turn, found in enumerate(turns):
        summary[f"pass_at_1_turn_{turn}_stderr"] = found.stderr
    for turn in range(1, last + 1):
        summary.add_transition(0, turn, f"turn_{turn}")
        summary.add(f"relative_gain_turn_{turn}", relative_gain(0, turn))
    for turn in range(2, last + 1):
        summary.add_step(turn - 1, turn, f"turn_{turn - 1}_to_{turn}")
    # a log's last critique may be that of a chain which stopped, beyond its last turn
    if last and all(outcome.judgements for outcome in outcomes):
        _add_discrimination(summary)
        _add_stopped(summary, last)
    if all(outcome.time_limit for outcome in outcomes):
        for turn in range(last + 1):
            summary[f"time_limit_turn_{turn}"] = summary.estimate(time_limits(turn)).value
    if last and all(outcome.similarity for outcome in outcomes):
        for turn in range(1, last + 1):
            summary.add(f"similarity_turn_{turn}", mean_similarity(turn))
    if last and all(outcome.leaks for outcome in outcomes):
        _add_leakage(summary, last)
    _add_pass_at_k(summary, last)
    summary["problems"] = len({outcome.problem for outcome in outcomes})
    summary["outcomes"] = len(outcomes)
    summary["cut_short"] = sum(outcome.cut_short for outcome in outcomes)
    return dict(summary)


class _Summary(dict[str, float]):
    """Metrics of these outcomes, added by what they count."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes

    def estimate(self, statistic: ChainStatistic) -> Estimate:
        return estimate_of(self.outcomes, statistic)

    def add(self, name: str, statistic: ChainStatistic, *, n: bool = False) -> None:
        """The number, its standard error, and where it matters its denominator."""
        found = self.estimate(statistic)
        self[name] = found.value
        self[f"{name}_stderr"] = found.stderr
        if n:
            self[f"{name}_n"] = found.n

    def add_transition(self, start: int, end: int, name: str) -> None:
        self.add(f"delta_up_{name}", up(start, end))
        self.add(f"delta_down_{name}", down(start, end))
        self[f"delta_{name}_stderr"] = self.estimate(change(start, end)).stderr
        self.add(f"cl_{name}", kept(start, end), n=True)
        self.add(f"cs_{name}", corrected(start, end), n=True)

    def add_step(self, start: int, end: int, name: str) -> None:
        """As add_transition, without the errors of the parts: a log has enough numbers."""
        self[f"delta_up_{name}"] = self.estimate(up(start, end)).value
        self[f"delta_down_{name}"] = self.estimate(down(start, end)).value
        self[f"delta_{name}_stderr"] = self.estimate(change(start, end)).stderr
        self[f"cl_{name}"] = self.estimate(kept(start, end)).value
        self[f"cs_{name}"] = self.estimate(corrected(start, end)).value


def _add_discrimination(summary: _Summary) -> None:
    summary.add("f1_passed", discrimination.f1_passed())
    summary.add("f1_failed", discrimination.f1_failed())
    summary.add("f1_macro", discrimination.f1_macro())
    summary["missing_verdicts"] = summary.estimate(discrimination.missing_verdicts()).value
    for name, f1 in (
        ("f1_passed", discrimination.f1_passed),
        ("f1_failed", discrimination.f1_failed),
        ("f1_macro", discrimination.f1_macro),
    ):
        as_code = summary.estimate(f1(missing="incorrect"))
        summary[f"{name}_missing_incorrect"] = as_code.value
    for turn in range(1, min(len(o.judgements) for o in summary.outcomes)):
        summary[f"f1_macro_turn_{turn}"] = summary.estimate(discrimination.f1_macro(turn)).value
        missing = summary.estimate(discrimination.missing_verdicts(turn)).value
        summary[f"missing_verdicts_turn_{turn}"] = missing


def _add_stopped(summary: _Summary, last: int) -> None:
    ended = [stopped(outcome) for outcome in summary.outcomes]
    for turn in range(1, last + 1):
        summary[f"pass_at_1_stopped_turn_{turn}"] = estimate_of(ended, passes(turn)).value


def _add_leakage(summary: _Summary, last: int) -> None:
    for turn in range(1, last + 1):
        summary.add(f"critiques_with_program_turn_{turn}", leakage.with_program(turn))
        summary.add(f"critiques_with_solution_turn_{turn}", leakage.with_passing_program(turn))
        name = f"delta_up_without_leaks_turn_{turn}"
        summary.add(name, leakage.up_without_leaks(0, turn), n=True)
        summary.add(f"delta_up_not_leaked_turn_{turn}", leakage.up_not_leaked(0, turn))
    failed = sum(outcome.leaks.count("unjudged") for outcome in summary.outcomes)
    summary["leak_checks_failed"] = failed


def _add_pass_at_k(summary: _Summary, last: int) -> None:
    """For each k that some problem has the epochs for; problems with fewer are counted."""
    epochs = max(len(passed) for passed in by_problem(summary.outcomes, 0).values())
    for k in sorted({k for k in (*_PASS_AT_K, epochs) if 1 < k <= epochs}):
        for turn in range(last + 1):
            found = pass_at_k(summary.outcomes, turn, k)
            summary[f"pass_at_{k}_turn_{turn}"] = found.estimate.value
        summary[f"pass_at_{k}_excluded"] = found.excluded
