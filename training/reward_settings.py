"""The reward's settings: verl's `reward_kwargs`, TRL's and Python's keyword arguments, one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, get_args

from ctrl_harness.errors import UserError
from ctrl_harness.training.frozen_generator import ATTEMPTS, MAX_TOKENS, GeneratorSettings
from ctrl_harness.training.rewards import Reward, get_reward, needs_every_case

Leaks = Literal["report", "strip", "zero"]
"""What becomes of a critique with a program in it: it is counted; the generator does not see the
program; or it is rewarded as one whose revision failed."""

_FAULTS_BEFORE_STOP = 20


@dataclass(frozen=True, slots=True)
class RewardSettings:
    """How critiques are rewarded. docs/reward.md says what each is for.

    How programs are taken out of answers and judged, and the words of the prompts, stand in the
    row, as the draft was judged. Raises UserError, naming the field, for what cannot be used.
    """

    reward: str = "refine"
    reward_options: Mapping[str, Any] = field(default_factory=dict)
    leak: Leaks = "report"

    generator_url: str | None = None
    generator_model: str | None = None
    generator_temperature: float = 0.0
    generator_max_tokens: int = MAX_TOKENS
    generator_timeout_s: float = 300.0
    generator_attempts: int = ATTEMPTS
    generator_first_pause_s: float = 0.5
    generator_in_flight: int = 64
    generator_body: Mapping[str, Any] = field(default_factory=dict)
    revisions: int = 1

    judge_url: str | None = None
    judge_jobs: int | None = None
    judge_timeout_s: float = 1800.0
    judge_attempts: int = 2
    all_cases: bool = False
    unsafe_no_isolation: bool = False
    packages: Sequence[str] = ()  # lists, as verl's YAML and TRL's arguments have them
    verdict_cache: str | None = None

    max_critique_chars: int = 50_000
    max_critique_tokens: int | None = None
    tokenizer: str | None = None

    trace: str | None = None
    trace_texts: bool = True
    max_fault_share: float = 0.2
    fault_window: int = 50

    def __post_init__(self) -> None:
        self._check_kinds()
        get_reward(self.reward, self.reward_options)
        if self.leak not in get_args(Leaks):
            raise UserError(f"leak is {self.leak!r}; choose one of {', '.join(get_args(Leaks))}")
        for name, least in (("revisions", 1), ("judge_attempts", 1), ("max_critique_chars", 1),
                            ("fault_window", _FAULTS_BEFORE_STOP)):  # fmt: skip
            if getattr(self, name) < least:
                raise UserError(f"{name} is {getattr(self, name)}; give at least {least}")
        if self.judge_timeout_s <= 0:
            raise UserError(f"judge_timeout_s is {self.judge_timeout_s}; give seconds above 0")
        if self.revisions > 1 and not self.generator_temperature:
            raise UserError(
                f"revisions={self.revisions} of a greedy generator are all the same; set "
                "generator_temperature above 0"
            )
        if (self.max_critique_tokens is None) != (self.tokenizer is None):
            raise UserError(
                "max_critique_tokens and tokenizer go together: the limit that critiques are cut "
                "off at, and the critic's tokenizer, to count with"
            )
        for name in ("unsafe_no_isolation", "packages"):
            if self.judge_url is not None and getattr(self, name):
                raise UserError(f"{name} is for judging here; take it or judge_url out")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """From keyword arguments; OmegaConf's containers become plain ones.

        Raises UserError, naming what there is, for a key that is none.
        """
        known = [one.name for one in fields(cls)]
        for name in given:
            if name not in known:
                raise UserError(
                    f"the reward has no setting {name!r}; it has {', '.join(known)}"
                )
        return cls(**{name: plain(value) for name, value in given.items()})

    @property
    def function(self) -> Reward:
        return get_reward(self.reward, self.reward_options)

    @property
    def judges_all_cases(self) -> bool:
        """Whether revisions are judged on, after their first failing case."""
        return self.all_cases or needs_every_case(self.reward, self.reward_options)

    @property
    def revises(self) -> bool:
        """Whether the reward looks at revisions at all."""
        return self.reward != "discrimination"

    @property
    def least_faults_seen(self) -> int:
        """Rewards before which the share of faults is not looked at."""
        return _FAULTS_BEFORE_STOP

    def generator(self, router_address: str | None) -> GeneratorSettings:
        """The server to be asked: `generator_url`, else verl's reward router ("host:port").

        Raises UserError where there is neither.
        """
        url = self.generator_url or (f"http://{router_address}" if router_address else None)
        if url is None:
            raise UserError(
                "the reward has no generator to ask for revisions; give generator_url (an OpenAI-"
                "compatible server) or let verl serve one (reward.reward_model.enable=True)"
            )
        return GeneratorSettings(
            url=url,
            model=self.generator_model,
            temperature=self.generator_temperature,
            max_tokens=self.generator_max_tokens,
            timeout_s=self.generator_timeout_s,
            attempts=self.generator_attempts,
            first_pause_s=self.generator_first_pause_s,
            in_flight=self.generator_in_flight,
            body=self.generator_body,
        )

    def _check_kinds(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not _fits(value, str(one.type)):
                raise UserError(f"{one.name} is {value!r:.80}; give {_KINDS[_kind(str(one.type))]}")


_KINDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false",
    "Mapping": "fields and values", "Sequence": "a list of names", "Leaks": "text",
}  # fmt: skip


def _kind(annotation: str) -> str:
    return annotation.removesuffix(" | None").partition("[")[0]


def _fits(value: Any, annotation: str) -> bool:
    if value is None:
        return annotation.endswith("| None")
    kind = _kind(annotation)
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if kind == "Sequence":
        return isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)
    kinds: dict[str, type | tuple[type, ...]] = {
        "str": str, "Leaks": str, "int": int, "float": (int, float), "Mapping": Mapping,
    }  # fmt: skip
    return isinstance(value, kinds[kind])


def plain(value: Any) -> Any:
    """Dicts and lists of what OmegaConf and numpy make of them."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return str(value)  # numpy's text is a kind of its own
    return value.item() if hasattr(value, "item") else value
