"""Judges every program of a chain; one score whose value holds a key a turn."""

from __future__ import annotations

from collections.abc import Sequence

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from ctrl_harness.analysis.logs import branch_key, outcomes_of_value
from ctrl_harness.analysis.summary import summarise
from ctrl_harness.analysis.transitions import Outcome
from ctrl_harness.critique.judgement import Judgement
from ctrl_harness.evaluation.leaks import find_leaks, leaks_value
from ctrl_harness.evaluation.record import ChainRecord
from ctrl_harness.evaluation.roles import open_judge
from ctrl_harness.evaluation.samples import one_line_errors, problem_of
from ctrl_harness.evaluation.tree_record import read_records
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.cache import VerdictCache
from ctrl_harness.verification.judge import Judge
from ctrl_harness.verification.verdict import Verdict


@metric(scores="unreduced")
def transitions() -> Metric:
    """Pass@1 per turn, Δ↑, Δ↓, CL, CS, discrimination F1 and time-limit rates over all epochs, and
    how many critiques no generator could read."""

    def compute(scores: list[SampleScore]) -> Value:
        summary = summarise([outcome for score in scores for outcome in outcomes_of(score)])
        return {**summary, "malformed_critiques": sum(map(_malformed, scores))}

    return compute


@scorer(metrics=[transitions()])
def chain_verdicts(
    extraction: str = "first_fence",
    comparator: str | None = None,
    executor: str | None = None,
    unsafe_no_isolation: bool = False,
    packages: Sequence[str] = (),
    time_limit: str | float = "row",
    output_mb: str | float = "row",
    leakage: bool = True,
    all_cases: bool = False,
) -> Scorer:
    """Verifies the draft and each revision with the one judge.

    The value has, for each turn t from 0, `turn_t` and `time_limit_t`, and for each critique t from
    1 (of the program of turn t-1) `says_correct_t` and `says_incorrect_t`, both 0 where it gave no
    verdict, `leaks_program_t`, `leaks_solution_t` and `leaks_unjudged_t` (critique/leakage.py), all
    0 where it was not written, and `cut_short`. A critique that the generator's context had no room
    for has an empty revision, which passes nothing. After a stop at "Correct" the last turn's
    values go on, so that every epoch has the same keys. So do the last program's where a limit of
    the sample (--token-limit, --time-limit, …) cut the chain short, since it is what the budget
    bought; the critiques that were never written are missing ones, and a sample without a draft has
    no program. A tree's value
    has these for each of its chains, `branch_n:` before those of the chains after the first.

    Args:
        extraction: How a program is taken out of a completion.
        comparator: How outputs are compared; the problem's own by default.
        executor: Where programs run.
        unsafe_no_isolation: Allows the executor `process`; see docs/security.md.
        packages: Third-party packages that programs may import beside numpy.
        time_limit: row, row*K or wall seconds a test (see verification/time_limit.py).
        output_mb: row, or MiB of a test's output (see verification/output_limit.py).
        leakage: Looks for programs in critiques and judges them.
        all_cases: Runs the cases after a program's first failing one too; the value is the same,
            `n_passed` then counts all cases that pass.
    """
    with one_line_errors():  # or `inspect score` would only say that there is no such scorer
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
        records = read_records(state.metadata)
        if records is None or records[0].ended is None:
            # a sample whose solver failed: `inspect score` and --score-on-error bring it here too
            return Score.unscored(reason="no chain", explanation="the solver did not finish")
        with one_line_errors():
            problem = await problem_of(state)
            scores = [await judge_chain(record, problem, judge, leakage) for record in records]
        if len(scores) == 1:
            return scores[0]
        return Score(
            value={
                branch_key(branch, key): flag
                for branch, chain in enumerate(scores)
                for key, flag in chain.as_dict().items()
            },
            answer=scores[0].answer,
            explanation="\n".join(
                f"chain {branch}\n{chain.explanation}" for branch, chain in enumerate(scores)
            ),
            metadata={"chains": [chain.metadata for chain in scores]},
        )

    return score


async def judge_chain(record: ChainRecord, problem: Problem, judge: Judge, leakage: bool) -> Score:
    """The score of one chain."""
    programs = [judge.extract(completion, problem) for completion in record.completions]
    # a limit that came before the draft leaves a sample without a program, not without a score:
    # budgets would otherwise select the samples
    verdicts = [await judge.verify(problem, program) for program in programs or [None]]
    known = dict(zip(programs, verdicts, strict=False))
    leaks = await find_leaks(record, problem, judge, known) if leakage else None
    judgements = [critique.judgement for critique in record.critiques]
    return Score(
        value={**chain_value(verdicts, judgements, record), **leaks_value(leaks, record)},
        answer=programs[-1] if programs else None,
        explanation=_explain(verdicts, judgements, record),
        metadata={
            # one value: Inspect writes out each on its own to see whether a summary has room for it
            "verdicts": [
                {
                    "status": verdict.status,
                    "n_passed": verdict.n_passed,
                    "n_cases": verdict.n_cases,
                    "digest": verdict.digest,
                }
                for verdict in verdicts
            ],
            **({} if leaks is None else {"leaks": leaks}),
            "malformed": [critique.malformed for critique in record.critiques],
        },
    )


def chain_value(
    verdicts: list[Verdict], judgements: list[Judgement], record: ChainRecord
) -> dict[str, int]:
    """The score's value: what is true of each turn, as 0 or 1."""
    value: dict[str, int] = {}
    for turn in range(record.turns + 1):
        verdict = verdicts[min(turn, len(verdicts) - 1)]
        value[f"turn_{turn}"] = int(verdict.passed)
        value[f"time_limit_{turn}"] = int(verdict.status == "time_limit")
    for turn in range(1, record.turns + 1):
        said: Judgement = "missing"
        if turn <= len(judgements) or not record.cut_short:
            said = judgements[min(turn, len(judgements)) - 1]
        value[f"says_correct_{turn}"] = int(said == "correct")
        value[f"says_incorrect_{turn}"] = int(said == "incorrect")
    value["cut_short"] = int(record.cut_short)
    return value


def outcomes_of(sample: SampleScore) -> list[Outcome]:
    """Reads a score's value back, chain by chain."""
    return outcomes_of_value(sample.sample_id, sample.score.as_dict())


def _malformed(sample: SampleScore) -> int:
    """How many critiques of the sample's chains no generator could read."""
    metadata = sample.score.metadata or {}
    chains = metadata.get("chains", [metadata])
    return sum(why is not None for chain in chains for why in chain.get("malformed", ()))


def _explain(verdicts: list[Verdict], judgements: list[Judgement], record: ChainRecord) -> str:
    lines = []
    for turn, verdict in enumerate(verdicts):
        line = f"turn {turn}: {_told(verdict)}"
        if turn < len(judgements):
            line += f"; the critic says {judgements[turn]}"
            malformed = record.critiques[turn].malformed
            line += f", in a critique that no generator can read ({malformed})" if malformed else ""
        lines.append(line)
    if record.cut_short:
        lines.append(f"cut short by the sample's {record.ended} limit")
    return "\n".join(lines)


def _told(verdict: Verdict) -> str:
    """Which case failed first; how many pass only where all were run."""
    first = verdict.first_failure
    if first is None or None not in verdict.cases:
        return f"{verdict.status} ({verdict.n_passed} of {verdict.n_cases} cases)"
    return f"{verdict.status} at case {first.index + 1} of {verdict.n_cases}"
