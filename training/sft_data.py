"""From chats in a JSONL file to token ids and labels: what of a row is read, and what is learnt.

A row is `{"messages": [{"role": …, "content": …}, …], …}` whose last message is the assistant's;
that answer is learnt, all before it is only read. Other fields are left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ctrl_harness.errors import UnusableRow, UserError
from ctrl_harness.problems.rows import read_rows
from ctrl_harness.training.pretrained import chat_ids

IGNORED = -100
"""The label of a token that is read and not learnt, to torch's cross entropy."""

_ROLES = ("system", "user", "assistant")


class SftExample(NamedTuple):
    """One row in tokens. labels: the token itself where it is learnt, else IGNORED."""

    input_ids: list[int]
    labels: list[int]

    @property
    def n_learnt(self) -> int:
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True, slots=True)
class SftData:
    """What is trained on. too_long: the rows left out, by line. digest: sha256 of every token."""

    examples: tuple[SftExample, ...]
    too_long: tuple[int, ...]
    digest: str

    @property
    def n_tokens(self) -> int:
        return sum(len(example.input_ids) for example in self.examples)

    @property
    def n_learnt(self) -> int:
        return sum(example.n_learnt for example in self.examples)


def read_examples(
    path: Path, tokenizer: Any, max_tokens: int, over_long: Literal["drop", "refuse"]
) -> SftData:
    """Reads a JSONL file (or .jsonl.gz); the order of its rows stays.

    Raises UserError, with the line, for a row of another shape, a row of more than `max_tokens`
    tokens where these are refused, a chat template that tells an answered chat otherwise than an
    open one, and a file without a row that fits.
    """
    if not path.is_file():
        raise UserError(
            f"no file {str(path)!r}; `ctrl-harness synthesize` writes the rows of fine-tuning"
        )
    sha = hashlib.sha256(str(max_tokens).encode())
    examples: list[SftExample] = []
    too_long: list[int] = []
    for number, messages in _chats(path):
        example = encode(tokenizer, messages, f"line {number} of {path}")
        if len(example.input_ids) <= max_tokens:
            examples.append(example)
            sha.update(repr(example).encode())
            continue
        if over_long == "refuse":
            raise UserError(
                f"line {number} of {path} has {len(example.input_ids)} tokens, more than"
                f" max_tokens={max_tokens}; raise that, or leave such rows out with over_long=drop"
            )
        too_long.append(number)
    if not examples:
        raise UserError(
            f"{path} has no row of at most {max_tokens} tokens"
            f" ({len(too_long)} longer ones); raise max_tokens, or give other rows"
        )
    return SftData(tuple(examples), tuple(too_long), sha.hexdigest())


def encode(tokenizer: Any, messages: Sequence[Mapping[str, str]], place: str) -> SftExample:
    """The chat in tokens, up to the token that ends its answer.

    What a template writes after that token opens another turn; no critic ever says it. Raises
    UserError where the open chat is no beginning of the answered one: what is learnt would then
    follow other tokens than those a server sends.
    """
    prompt = chat_ids(tokenizer, messages[:-1], answer=True)
    whole = chat_ids(tokenizer, messages, answer=False)
    if whole[: len(prompt)] != prompt:
        raise UserError(
            f"the chat template of {tokenizer.name_or_path} tells an answered chat otherwise than"
            f" an open one ({place}), as those of reasoning models do; give another model or"
            " template"
        )
    answer = whole[len(prompt) :]
    if tokenizer.eos_token_id in answer:
        after_end = answer[::-1].index(tokenizer.eos_token_id)
        answer = answer[: len(answer) - after_end]
    return SftExample(prompt + answer, [IGNORED] * len(prompt) + answer)


def _chats(path: Path) -> Iterator[tuple[int, list[Mapping[str, str]]]]:
    """(line, messages) of each row."""
    for row in read_rows([path], ["messages"]):
        if isinstance(row, UnusableRow):
            raise UserError(f"{row}; each line is a JSON object with a list of messages")
        yield int(row.place.rsplit(" ", 1)[1]), _checked(row.data.get("messages"), row.place)


def _checked(messages: Any, place: str) -> list[Mapping[str, str]]:
    fault = _fault_of(messages)
    if fault:
        raise UserError(
            f"{place} is no row of fine-tuning ({fault}); it needs messages, a list of"
            " {role, content} that ends with the assistant's answer"
        )
    return list(messages)


def _fault_of(messages: Any) -> str:
    if not isinstance(messages, list):
        return "it has no list of messages"
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            return f"message {number} has no role among {', '.join(_ROLES)}"
        if not isinstance(message.get("content"), str):
            return f"message {number} has no text as its content"
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        return "it does not end with an answer to something"
    return "" if messages[-1]["content"].strip() else "its answer is empty"
