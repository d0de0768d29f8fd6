"""The `scripted/PATH.jsonl` provider: answers from a file, to try and test things without a model.

Each line is `{"sample_id": …, "epoch": …, "role": "generator"|"critic", "turn": …, "output": …}`.
`epoch`, `vote` and `branch` may be left out (any epoch, any of the answers to one question, any
place in a tree), and `stop_reason` may be given ("max_tokens"). Usage counts white-space separated
words, so that token arithmetic has something to count.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.model._model_output import StopReason
from inspect_ai.tool import ToolChoice, ToolInfo
from pydantic import BaseModel, ConfigDict, ValidationError

from ctrl_harness.critique.messages import Branch, Role
from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.calls import CallPosition, current_call
from ctrl_harness.evaluation.samples import one_line_errors


class _Line(BaseModel):
    """One line of the file; `epoch`, `vote` or `branch` None stands for every one."""

    model_config = ConfigDict(strict=True)

    sample_id: str | int
    role: Role
    turn: int
    output: str
    epoch: int | None = None
    vote: int | None = None
    branch: list[int] | None = None
    stop_reason: StopReason = "stop"

    @property
    def key(self) -> _Key:
        branch = None if self.branch is None else tuple(self.branch)
        return (str(self.sample_id), self.epoch, self.role, self.turn, self.vote, branch)


_Key = tuple[str, int | None, str, int, int | None, Branch | None]


class ScriptedAPI(ModelAPI):
    """Plays a file's answers; every failure to find one is an error, never an empty answer."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 (the signature Inspect calls)
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        with one_line_errors():
            self._lines = _read(Path(model_name).expanduser())

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        with one_line_errors():
            line = self._find(current_call.get())
        output = ModelOutput.from_content(
            f"scripted/{self.model_name}", line.output, stop_reason=line.stop_reason
        )
        asked = sum(len(message.text.split()) for message in input)
        answered = len(line.output.split())
        output.usage = ModelUsage(
            input_tokens=asked, output_tokens=answered, total_tokens=asked + answered
        )
        return output

    def _find(self, position: CallPosition | None) -> _Line:
        if position is None:
            raise UserError(
                f"{self.model_name} answers only the calls of this project's tasks; give another "
                "task another model"
            )
        places = (position.epoch, None), (position.vote, None), (position.branch, None)
        for epoch, vote, branch in product(*places):
            line = self._lines.get(
                (position.sample_id, epoch, position.role, position.turn, vote, branch)
            )
            if line is not None:
                return line
        raise UserError(
            f"{self.model_name} has no line for sample {position.sample_id!r}, epoch "
            f"{position.epoch}, role {position.role!r}, turn {position.turn}"
            f"{f', vote {position.vote}' if position.vote else ''}"
            f"{f', branch {[*position.branch]}' if position.branch else ''}; add one"
        )

    def max_connections(self) -> int:
        return 100

    def connection_key(self) -> str:
        return f"scripted/{self.model_name}"


@modelapi(name="scripted")
def scripted() -> type[ModelAPI]:
    """Registers the provider."""
    return ScriptedAPI


def _read(path: Path) -> dict[_Key, _Line]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the script {path} cannot be read: {error}") from error
    lines: dict[_Key, _Line] = {}
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        try:
            line = _Line.model_validate_json(raw)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"][:1]))
            raise UserError(
                f"line {number} of {path} is not a scripted answer "
                f"({f'{field}: ' if field else ''}{first['msg']}); it needs sample_id, "
                "role (generator or critic), turn and output, and may have epoch, vote, "
                "branch and stop_reason"
            ) from error
        if line.key in lines:
            epoch = "every epoch" if line.epoch is None else f"epoch {line.epoch}"
            vote = "" if line.vote is None else f", vote {line.vote}"
            vote += "" if line.branch is None else f", branch {line.branch}"
            raise UserError(
                f"line {number} of {path} answers for sample {line.key[0]!r}, {epoch}, role "
                f"{line.role!r}, turn {line.turn}{vote} a second time; take one of the two out"
            )
        lines[line.key] = line
    if not lines:
        raise UserError(f"the script {path} holds no line; write one for each answer")
    return lines
