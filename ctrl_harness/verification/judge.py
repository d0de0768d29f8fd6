"""`verify` with its settings bound, so that solver, critic, scorer and command line agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ctrl_harness.execution.executor import Executor
from ctrl_harness.problems.problem import Problem
from ctrl_harness.verification.cache import VerdictCache
from ctrl_harness.verification.comparators import get_comparator
from ctrl_harness.verification.digest import judgement_digest
from ctrl_harness.verification.extraction import get_extraction
from ctrl_harness.verification.output_limit import OWN_OUTPUT, OutputLimit
from ctrl_harness.verification.time_limit import ROW, TimeLimit
from ctrl_harness.verification.verdict import Verdict
from ctrl_harness.verification.verify import verify


@dataclass(frozen=True, slots=True)
class Judge:
    """How programs are judged in one run.

    comparator: None for each problem's own. time_limit: wall seconds, each problem's own by
    default. extraction: how a program is taken out of a completion. all_cases: go on after a case
    that is not accepted, for whoever reads `n_passed`. output_limit: MiB of a test's output, each
    problem's own by default. Raises UserError at once for an unknown comparator or extraction.
    """

    executor: Executor
    comparator: str | None = None
    time_limit: TimeLimit = ROW
    extraction: str = "first_fence"
    all_cases: bool = False
    cache: VerdictCache | None = None
    output_limit: OutputLimit = OWN_OUTPUT

    def __post_init__(self) -> None:
        get_extraction(self.extraction)
        if self.comparator is not None:
            get_comparator(self.comparator)

    def extract(self, completion: str, problem: Problem) -> str | None:
        """The program in a completion on this problem, None without one."""
        return get_extraction(self.extraction, problem.dataset)(completion)

    async def verify(
        self, problem: Problem, program: str | None, *, bare: bool = False
    ) -> Verdict:
        """bare: the program came as such and not out of a completion."""
        return await verify(
            problem,
            program,
            executor=self.executor,
            comparator=self.comparator,
            time_limit=self.time_limit,
            all_cases=self.all_cases,
            extraction=None if bare else self.extraction,
            cache=self.cache,
            output_limit=self.output_limit,
        )

    def digest(self, problem: Problem, program: str | None, *, bare: bool = False) -> str:
        """The digest that `verify`'s verdict will carry."""
        return judgement_digest(
            problem,
            program,
            comparator=self.comparator or problem.comparator,
            limits=self.output_limit.of(self.time_limit.of(problem.limits)),
            all_cases=self.all_cases,
            extraction=None if bare else self.extraction,
            scaled_time=self.time_limit.is_of_row,
            time_limit=self.time_limit,
        )

    def settings(self) -> dict[str, Any]:
        """What a log records of the judge."""
        return {
            "executor": self.executor.name,
            "isolated": self.executor.isolated,
            "packages": self.executor.packages,
            "comparator": self.comparator or "per problem",
            "extraction": self.extraction,
            "time_limit": str(self.time_limit),
            "output_mb": str(self.output_limit),
            "all_cases": self.all_cases,
        }
