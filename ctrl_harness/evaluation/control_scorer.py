"""What the control's drafts are worth: a program at random, the critic's choice, and the bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from ctrl_harness.analysis.control import Drawn, Resample, control_arm
from ctrl_harness.analysis.estimate import mean_estimate
from ctrl_harness.evaluation.control import CONTROL
from ctrl_harness.evaluation.roles import open_judge
from ctrl_harness.evaluation.samples import one_line_errors, problem_of
from ctrl_harness.verification.cache import VerdictCache


def drawn_of(problem: int | str, metadata: Mapping[str, Any]) -> Drawn:
    """A sample's control, read back from its score's metadata."""
    samples = tuple(Resample(**row) for row in metadata["samples"])
    return Drawn(problem, metadata["epoch"], metadata["budget"], samples)


@metric(scores="unreduced")
def matched_control() -> Metric:
    """Mean, best of n and oracle of what the arm's tokens buy, and how well they were matched."""

    def compute(scores: list[SampleScore]) -> Value:
        if not scores:
            return {"pass_at_1": math.nan}
        chains = sorted(drawn_of(str(s.sample_id), s.score.metadata or {}) for s in scores)
        problems = [chain.problem for chain in chains]
        control = control_arm([c.samples for c in chains], [c.budget for c in chains])
        values: dict[str, float] = {}
        for name, found in (
            ("pass_at_1", [c.mean for c in control.chains]),
            ("best_of_n", [c.best_of_n for c in control.chains]),
            ("oracle_bound", [c.oracle_bound for c in control.chains]),
        ):
            number = mean_estimate(found, problems)
            values[name], values[f"{name}_stderr"] = number.value, number.stderr
        sampling, choosing = control.sampling, control.choosing
        values["tokens_of_arm"] = sampling.ratio
        values["tokens_of_arm_best_of_n"] = choosing.ratio
        values["exhausted"] = (sampling.exhausted + choosing.exhausted) / (2 * len(chains))
        return values

    return compute


@scorer(metrics=[matched_control()])
def control_verdicts(
    extraction: str = "first_fence",
    comparator: str | None = None,
    executor: str | None = None,
    unsafe_no_isolation: bool = False,
    packages: Sequence[str] = (),
    time_limit: str | float = "row",
    output_mb: str | float = "row",
    all_cases: bool = False,
) -> Scorer:
    """Verifies every draft of the control; which of them count is settled over all samples.

    The value has `drawn` and `passed`, numbers of drafts.

    Args:
        extraction: How a program is taken out of a completion.
        comparator: How outputs are compared; the problem's own by default.
        executor: Where programs run.
        unsafe_no_isolation: Allows the executor `process`; see docs/security.md.
        packages: Third-party packages that programs may import beside numpy.
        time_limit: row, row*K or wall seconds a test (see verification/time_limit.py).
        output_mb: row, or MiB of a test's output (see verification/output_limit.py).
        all_cases: Runs the cases after a draft's first failing one too; the value is the same.
    """
    with one_line_errors():
        judge = open_judge(
            extraction=extraction,
            comparator=comparator,
            executor=executor,
            unsafe_no_isolation=unsafe_no_isolation,
            packages=packages,
            time_limit=time_limit,
            output_mb=output_mb,
            all_cases=all_cases,
            cache=VerdictCache(),
        )

    async def score(state: TaskState, target: Target) -> Score:
        control = state.metadata.get(CONTROL)
        if control is None:
            return Score.unscored(reason="no samples", explanation="the solver did not finish")
        rows: list[dict[str, Any]] = []
        with one_line_errors():
            problem = await problem_of(state)
            for drawn in control["samples"]:
                program = judge.extract(drawn["completion"], problem)
                verdict = await judge.verify(problem, program)
                row = {key: drawn[key] for key in ("tokens", "judgement", "critic_tokens")}
                rows.append({"passed": verdict.passed, **row})
        passed = sum(row["passed"] for row in rows)
        return Score(
            value={"drawn": len(rows), "passed": passed},
            explanation=f"{passed} of {len(rows)} drafts pass",
            metadata={"epoch": state.epoch, "budget": control["budget"], "samples": rows},
        )

    return score
