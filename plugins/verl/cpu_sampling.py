"""A batch of requests drawn from a transformers model, with the log-probability of each token."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch


class SamplingSettings(NamedTuple):
    """What requests of one batch share. Temperature 0 is greedy; top_k below 1 is no limit."""

    max_new_tokens: int
    temperature: float
    top_p: float
    top_k: int


class Request(NamedTuple):
    prompt_ids: tuple[int, ...]
    max_new_tokens: int
    temperature: float
    top_p: float
    top_k: int

    @property
    def settings(self) -> SamplingSettings:
        return SamplingSettings(self.max_new_tokens, self.temperature, self.top_p, self.top_k)


class Drawn(NamedTuple):
    """The new tokens, up to and with the first that ends the text, and their log-probabilities.

    The probabilities are those of the distribution drawn from: after temperature, top-p and top-k.
    """

    ids: list[int]
    log_probs: list[float]


def sample(model: Any, requests: list[Request]) -> list[Drawn]:
    """Draw for `requests`, whose settings are equal, in one padded batch; in their order."""
    settings = requests[0].settings
    ends = _end_tokens(model)
    pad = min(ends) if ends else 0
    width = max(len(request.prompt_ids) for request in requests)
    ids = torch.full((len(requests), width), pad, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, request in enumerate(requests):
        start = width - len(request.prompt_ids)
        ids[row, start:] = torch.tensor(request.prompt_ids)
        mask[row, start:] = 1
    with torch.no_grad():
        output = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=settings.max_new_tokens,
            pad_token_id=pad,
            return_dict_in_generate=True,
            output_scores=True,
            **_decoding(settings),
        )
    new = output.sequences[:, width:]
    log_probs = torch.stack(
        [
            torch.log_softmax(scores.float(), dim=-1).gather(1, new[:, step : step + 1]).squeeze(1)
            for step, scores in enumerate(output.scores)
        ],
        dim=1,
    )
    return [_cut(new[row].tolist(), log_probs[row].tolist(), ends) for row in range(len(requests))]


def _decoding(settings: SamplingSettings) -> dict[str, object]:
    if settings.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {
        "do_sample": True,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": max(0, settings.top_k),
    }


def _end_tokens(model: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset(ends) if isinstance(ends, list) else frozenset({ends})


def _cut(ids: list[int], log_probs: list[float], ends: frozenset[int]) -> Drawn:
    """Without the padding that follows the end of a text shorter than its neighbours."""
    length = next((at + 1 for at, token in enumerate(ids) if token in ends), len(ids))
    return Drawn(ids[:length], log_probs[:length])
