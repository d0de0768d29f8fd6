"""How servers say that a request is longer than their model's context.

No two word it alike, and few give it a code of its own. The wordings are those of OpenAI's and
Anthropic's services and of the servers of open models; Inspect's providers know many of them
(inspect_ai/model/_providers, `handle_bad_request`) and pass the others on as errors.
"""

from __future__ import annotations

import re

REFUSALS = frozenset({400, 403, 413, 422, 500})
"""HTTP statuses with which a request is refused for its length: 400 nearly everywhere, 403
Cloudflare, 413 what stands before a server, 422 TGI, 500 older versions of llama.cpp."""

_OVERFLOW = re.compile(
    r"""
      context_length_exceeded | exceed_context_size | input_too_large | contextwindowexceeded
    | string_above_max_length
    # OpenAI, vLLM, DeepSeek, Mistral, Azure, SGLang, Grok
    | maximum\ (?:context|prompt)\ length | reduce\ (?:the|your)\ (?:length|prompt)
    # vLLM, LM Studio
    | context\ length\ (?:is|of)\ only | max_tokens\ must\ be\ at\ least\ 1
    | longer\ than\ .{0,40}\b(?:context|maximum\ model)\ length
    # llama.cpp, llama-cpp-python, Ollama, OpenAI, Anthropic, Cloudflare
    | exceed(?:s|ed)?\b.{0,40}\bcontext\ (?:size|window|length|limit)
    | context\ (?:size|window|length)\ (?:has\ been\ |is\ |was\ )?(?:exceeded|full)
    # LM Studio
    | when\ context\ the\ overflows
    # Anthropic, Fireworks, Bedrock, Cohere
    | (?:prompt|input)\ is\ too\ long | too\ many\ (?:input\ )?tokens
    # Gemini, Moonshot
    | the\ maximum\ number\ of\ tokens\ allowed | exceeded\ model\ token\ limit
    # TGI, TensorRT-LLM
    | `inputs`\ (?:tokens|must\ have\ less)
    | should\ not\ exceed\ max_(?:seq_len|input_len|num_tokens)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_READ_CHARS = 20_000


def is_context_overflow(message: str, status: int | None = None) -> bool:
    """Whether an error says that the request was too long for the model.

    status: the HTTP status it came with, None where that is not known.
    """
    if status == 413:  # "content too large", in whatever words
        return True
    if status is not None and status not in REFUSALS:
        return False
    return _OVERFLOW.search(message[:_READ_CHARS]) is not None
