"""A Qwen2 of about a hundred thousand weights, made on the spot, for tests and the demonstration.

It knows nothing, so it can be taught a form of answer in seconds (`teach`): a critic that never
keeps to the form of a critique would be given the same reward for everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError

_END = "<|im_end|>"
_PAD = "<|endoftext|>"
_START = "<|im_start|>"
_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_CONTEXT = 8192


class Lesson(NamedTuple):
    """A chat and the answer to give: messages as `{"role", "content"}`."""

    messages: Sequence[dict[str, str]]
    answer: str


def make_tiny_model(
    folder: Path, texts: Iterable[str], *, vocabulary: int = 512, seed: int = 0
) -> Path:
    """Write a random Qwen2, and a tokenizer trained on `texts`, as a Hugging Face folder.

    Args:
        folder: made if missing; what is in it is overwritten.
        texts: what the tokenizer should know the words of, so that prompts stay short.
        vocabulary: tokens, of which 256 are the bytes and 3 the marks of the chat template.

    Returns:
        `folder`.

    Raises:
        UserError: torch or transformers is missing.
    """
    torch, transformers = _training_packages()
    torch.manual_seed(seed)
    tokenizer = _tokenizer(texts, vocabulary)
    end, pad = tokenizer.convert_tokens_to_ids([_END, _PAD])
    config = transformers.Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=_CONTEXT,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    model = transformers.Qwen2ForCausalLM(config)
    model.generation_config.eos_token_id = end
    model.generation_config.pad_token_id = pad
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def teach(
    folder: Path,
    lessons: Sequence[Lesson],
    *,
    steps: int = 150,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> float:
    """Train the model in `folder` on all `lessons` at once, `steps` times, on their answers.

    Returns:
        The last loss, in nats a token. Several answers to one chat keep it above 0.
    """
    torch, transformers = _training_packages()
    torch.manual_seed(seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
    batch = _batch(torch, tokenizer, lessons)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)
    loss = torch.zeros(())
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return float(loss.detach())


def _batch(torch: Any, tokenizer: Any, lessons: Sequence[Lesson]) -> dict[str, Any]:
    rows: list[tuple[list[int], list[int]]] = []
    for lesson in lessons:
        text = tokenizer.apply_chat_template(
            list(lesson.messages), add_generation_prompt=True, tokenize=False
        )
        prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
        answer = tokenizer(lesson.answer + _END, add_special_tokens=False)["input_ids"]
        rows.append((prompt + answer, [-100] * len(prompt) + answer))  # -100: no loss here
    width = max(len(ids) for ids, _ in rows)
    pad = tokenizer.pad_token_id
    return {
        "input_ids": torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in rows]),
        "attention_mask": torch.tensor(
            [[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows]
        ),
        "labels": torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in rows]),
    }


def _tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_PAD, _START, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=_END,
        pad_token=_PAD,
        chat_template=_CHAT_TEMPLATE,
        model_max_length=_CONTEXT,
    )


def _training_packages() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise UserError(
            f"a tiny model needs {error.name}; install it with: "
            "pip install 'ctrl-harness[training]'"
        ) from error
    return torch, transformers
