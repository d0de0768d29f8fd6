"""Tokenizers and models as Hugging Face folders or repositories, with one sentence where none is.

Token ids of a chat are made here and nowhere else in `training/`: supervised rows and the
prompts of reinforcement learning must be told in the very tokens that a server reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from ctrl_harness.errors import UserError, first_line


def require_extra(*packages: str) -> None:
    """Pass if the packages are installed; nothing is imported.

    Raises UserError that names the extra which brings them.
    """
    for package in packages:
        if find_spec(package) is None:
            raise UserError(
                f"{package} is not installed; install it with: pip install 'ctrl-harness[training]'"
            )


def load_tokenizer(name: str, revision: str | None = None) -> Any:
    """The tokenizer of a folder or a repository, which must bring a chat template.

    Raises UserError where there is none, or the extra `training` is not installed.
    """
    require_extra("torch")
    tokenizer = load_counter(name, revision)
    if not tokenizer.chat_template:
        raise UserError(
            f"the tokenizer of {name} has no chat template; give an instruct model, or add a"
            " chat_template.jinja to its folder"
        )
    return tokenizer


def load_counter(name: str, revision: str | None = None) -> Any:
    """The tokenizer of a folder or a repository, with a chat template or without; no torch needed.

    Raises UserError where there is none, or transformers is not installed.
    """
    with _one_sentence("tokenizer", name):
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(name, revision=revision)


def load_model(name: str, revision: str | None = None, dtype: str = "float32") -> Any:
    """The causal language model of a folder or a repository, its weights as `dtype`.

    Raises UserError where there is none, its files are broken, or the extra is not installed.
    """
    require_extra("torch")
    with _one_sentence("model", name):
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype=dtype)


def chat_ids(tokenizer: Any, messages: Sequence[Mapping[str, str]], *, answer: bool) -> list[int]:
    """Token ids of a chat by the tokenizer's own template.

    messages: role and content. answer: the chat ends where an assistant's answer is to begin, as
    every server of chats and verl's agent loop end it.
    """
    ids: list[int] = tokenizer.apply_chat_template(
        [dict(message) for message in messages],
        add_generation_prompt=answer,
        tokenize=True,
        return_dict=False,
    )
    return ids


@contextmanager
def _one_sentence(what: str, name: str) -> Iterator[None]:
    """Whatever loading raises, which is another thing for every way of being broken."""
    require_extra("transformers", "safetensors")
    from safetensors import SafetensorError

    try:
        yield
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError,
        SafetensorError,
    ) as error:  # fmt: skip
        reason = first_line(error)
        raise UserError(
            f"no {what} can be loaded from {name!r} ({reason.rstrip('.')}); give the path of a"
            " folder in Hugging Face's layout, or the name of a repository that can be reached"
        ) from error
