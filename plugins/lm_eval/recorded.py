"""The LM `ctrl-recorded`: answers that a file holds, so that stored ones can be scored again.

A line of the file is one of

    {"pair_id": …, "decisions": ["A>B", "B>A"]}          JudgeBench; the second on swapped responses
    {"id": …, "completion": …}                           the whole answer to a problem
    {"id": …, "program": …}                              the program in it
    {"sample_id": …, "role": …, "turn": …, "output": …}  docs/scripted_models.md, with ctrl-critic

`id` may be called `task_id`, `pair_id` or `sample_id`, and `program` `solution`, as in EvalPlus's
files. Several answers to one question are its repeats, in the order of the file; one alone stands
for all of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from ctrl_harness.errors import UserError
from ctrl_harness.plugins.json_lines import read_lines
from ctrl_harness.plugins.lm_eval.inner_calls import call_of

_IDS = ("id", "task_id", "pair_id", "sample_id")
_PROGRAMS = ("program", "solution")


class Place(NamedTuple):
    """Which question an answer is to.

    turn: 0 for drafts and for the first of a document's requests. epoch and vote None: every one.
    """

    id: str
    role: str = "generator"
    turn: int = 0
    epoch: int | None = None
    vote: int | None = None


class RecordedLM(LM):  # type: ignore[misc]
    """recorded: the file's path. Every answer that it lacks is an error, never an empty answer."""

    def __init__(self, recorded: str | None = None, **settings: Any) -> None:
        super().__init__()
        unknown = sorted(set(settings) - {"batch_size", "max_batch_size", "device"})
        if recorded is None or unknown:
            raise UserError("ctrl-recorded takes one argument: --model_args recorded=FILE.jsonl")
        self._path = Path(str(recorded)).expanduser()
        self._answers = _read(self._path)

    def generate_until(self, requests: Sequence[Instance]) -> list[str]:
        seen: Counter[tuple[Any, ...]] = Counter()
        return [self._answer(request, seen) for request in requests]

    def loglikelihood(self, requests: Sequence[Instance]) -> NoReturn:
        raise UserError(f"{self._path} holds answers and no likelihoods; give another task")

    def loglikelihood_rolling(self, requests: Sequence[Instance]) -> NoReturn:
        self.loglikelihood(requests)

    def apply_chat_template(
        self, chat_history: Sequence[Mapping[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """What is asked does not matter here; it stands in lm-eval's log."""
        return json.dumps(list(chat_history), ensure_ascii=False)

    @property
    def tokenizer_name(self) -> str:
        return "ctrl-recorded"

    def _answer(self, request: Instance, seen: Counter[tuple[Any, ...]]) -> str:
        call = call_of(request)
        name = str(request.doc.get("id", request.doc_id))
        # JudgeBench's two requests are told apart by their number
        turn = request.idx if call.role is None else call.turn
        role = call.role or "generator"
        number = seen[name, role, turn, call.vote]
        seen[name, role, turn, call.vote] += 1
        epoch = call.chain if call.role else number + 1
        for place in (
            Place(name, role, turn, epoch, call.vote),
            Place(name, role, turn, epoch),
            Place(name, role, turn, None, call.vote),
            Place(name, role, turn),
        ):
            said = self._answers.get(place, [])
            if len(said) == 1 or number < len(said):
                return said[0 if len(said) == 1 else number]
        raise UserError(
            f"{self._path} has no answer number {number + 1} for {name!r}, role {role}, turn {turn}"
        )


def _read(path: Path) -> dict[Place, list[str]]:
    answers: dict[Place, list[str]] = defaultdict(list)
    for where, row in read_lines(path, "recorded answers"):
        for place, answer in _answers_of(where, row):
            answers[place].append(answer)
    if not answers:
        raise UserError(f"{path} holds no answer; write one a line")
    return dict(answers)


def _answers_of(where: str, row: Any) -> list[tuple[Place, str]]:
    name = next((row[key] for key in _IDS if key in row), None) if isinstance(row, dict) else None
    if not isinstance(name, (str, int)) or isinstance(name, bool):
        raise UserError(f"{where} has no id; give one of {', '.join(_IDS)}")
    decisions = row.get("decisions")
    if isinstance(decisions, list) and len(decisions) == 2:
        return [(Place(str(name), turn=n), f"[[{said}]]") for n, said in enumerate(decisions)]
    if isinstance(output := row.get("output"), str):
        place = Place(
            str(name), row.get("role"), row.get("turn"), row.get("epoch"), row.get("vote")
        )
        return [(place, output)]
    if isinstance(completion := row.get("completion"), str):
        return [(Place(str(name)), completion)]
    program = next((row[key] for key in _PROGRAMS if isinstance(row.get(key), str)), None)
    if program is None:
        raise UserError(f"{where} has no answer; give completion, program, decisions or output")
    return [(Place(str(name)), fenced(program))]


def fenced(program: str) -> str:
    """The program as an answer that any extraction finds whole, whatever fences stand in it."""
    longest = max(map(len, re.findall(r"`+", program)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}python\n{program}\n{ticks}\n"
