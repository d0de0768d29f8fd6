"""The shape of a decoder: how many weights it has, and what a token of its cache takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ctrl_harness.errors import UserError, first_line

BYTES_BF16 = 2


class Shape(NamedTuple):
    """Of a dense decoder with grouped queries and a gated feed-forward layer (Qwen2, Llama).

    qkv_bias: whether queries, keys and values have biases. tied: whether the output layer is the
    embedding.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    tied: bool
    qkv_bias: bool

    @property
    def layer_parameters(self) -> int:
        """Weights of one layer."""
        width = self.heads * self.head_size
        kv_width = self.kv_heads * self.head_size
        attention = self.hidden * (2 * width + 2 * kv_width)
        biases = width + 2 * kv_width if self.qkv_bias else 0
        return attention + biases + 3 * self.hidden * self.intermediate + 2 * self.hidden

    @property
    def parameters(self) -> int:
        """All weights."""
        tables = 1 if self.tied else 2
        embedding = tables * self.vocabulary * self.hidden
        return embedding + self.layers * self.layer_parameters + self.hidden

    @property
    def cache_bytes(self) -> int:
        """Of a token's keys and values in bfloat16, over all layers."""
        return 2 * self.layers * self.kv_heads * self.head_size * BYTES_BF16

    def lora_parameters(self, rank: int) -> int:
        """Weights of adapters on every linear layer but the output."""
        width = self.heads * self.head_size
        kv_width = self.kv_heads * self.head_size
        # each adapter has rank × (inputs + outputs) weights
        attention = 2 * (self.hidden + width) + 2 * (self.hidden + kv_width)
        return self.layers * rank * (attention + 3 * (self.hidden + self.intermediate))


def _qwen(
    layers: int, hidden: int, intermediate: int, heads: int, kv_heads: int, vocabulary: int
) -> Shape:
    tied = vocabulary == 151936
    head_size = hidden // heads
    return Shape(
        layers, hidden, intermediate, heads, kv_heads, head_size, vocabulary, tied, qkv_bias=True
    )


_QWEN_CODER: Mapping[str, Shape] = MappingProxyType(
    {
        "0.5B": _qwen(24, 896, 4864, 14, 2, 151936),
        "1.5B": _qwen(28, 1536, 8960, 12, 2, 151936),
        "3B": _qwen(36, 2048, 11008, 16, 2, 151936),
        "7B": _qwen(28, 3584, 18944, 28, 4, 152064),
        "14B": _qwen(48, 5120, 13824, 40, 8, 152064),
        "32B": _qwen(64, 5120, 27648, 40, 8, 152064),
    }
)
"""By size, from the models' config.json, so that an estimate downloads nothing."""


def known_shape(name: str) -> Shape | None:
    """Of `Qwen/Qwen2.5-Coder-SIZE[-Instruct]`, the models that our configurations name."""
    owner, _, model = name.partition("/")
    size = model.removeprefix("Qwen2.5-Coder-").removesuffix("-Instruct")
    return _QWEN_CODER.get(size) if owner == "Qwen" and size != model else None


def shape_of(name: str) -> Shape:
    """Of a model's folder, of one that is known here, or of a repository on the hub.

    Raises:
        UserError: there is none of that name, or it is no dense decoder of this form.
    """
    file = Path(name) / "config.json"
    known = known_shape(name)
    if known is not None and not file.is_file():
        return known
    if not file.is_file():
        file = _from_the_hub(name)
    try:
        return _shape_in(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} does not describe a dense decoder ({type(error).__name__}: {error}), so its "
            "memory cannot be estimated; give another model"
        ) from None


def _shape_in(config: Mapping[str, Any]) -> Shape:
    heads = int(config["num_attention_heads"])
    hidden = int(config["hidden_size"])
    return Shape(
        layers=int(config["num_hidden_layers"]),
        hidden=hidden,
        intermediate=int(config["intermediate_size"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head_size=int(config.get("head_dim") or hidden // heads),
        vocabulary=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", False)),
        qkv_bias=bool(config.get("attention_bias", config.get("model_type") == "qwen2")),
    )


def _from_the_hub(name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(name, "config.json"))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = first_line(error)
        raise UserError(
            f"there is no model {name!r} to estimate for ({reason}); give a folder with a "
            "config.json, or the name of a repository that can be reached"
        ) from None
