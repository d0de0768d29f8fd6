"""How servers word that a request is too long for their model, and what only resembles it."""

from __future__ import annotations

import pytest

from ctrl_harness.critique.context_length import is_context_overflow

OVERFLOWS = [
    # OpenAI: by its code, and in two generations of words
    (400, '{"error": {"code": "context_length_exceeded", "message": "Too long."}}'),
    (400, "This model's maximum context length is 8192 tokens. However, your messages resulted in "
          "9001 tokens. Please reduce the length of the messages."),
    (400, "Your input exceeds the context window of this model. Please adjust your input."),
    # vLLM, whose words have changed often
    (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
          "(4000 in the messages, 1000 in the completion)."),
    (400, "'max_tokens' or 'max_completion_tokens' is too large: 1024. This model's maximum "
          "context length is 4096 tokens and your request has 4000 input tokens."),
    (400, "max_tokens must be at least 1, got -17."),
    (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
    (400, "You passed 5001 input tokens and requested 100 output tokens. However, the model's "
          "context length is only 4096 tokens"),
    # SGLang, TGI, TensorRT-LLM
    (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
    (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 "
          "`inputs` tokens and 1024 `max_new_tokens`"),
    (422, "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000"),
    (400, "The sum of prompt length (5000) and query length should not exceed max_seq_len (4096)"),
    # llama.cpp, its Python server, LM Studio, Ollama
    (400, '{"error": {"code": 400, "type": "exceed_context_size_error", "n_ctx": 4096}}'),
    (400, "request (4476 tokens) exceeds the available context size (4096 tokens), try again"),
    (500, "the request exceeds the available context size. try increasing the context size"),
    (400, "Requested tokens (5000) exceed context window of 4096"),
    (400, "Trying to keep the first 5000 tokens when context the overflows. However, the model is "
          "loaded with context length of only 4096 tokens"),
    (400, "the input length exceeds the context length"),
    # Anthropic, Bedrock, Gemini, Moonshot, Grok, Cloudflare, Mistral, Cohere
    (400, "prompt is too long: 208310 tokens > 200000 maximum"),
    (400, "input length and `max_tokens` exceed context limit: 90402 + 116650 > 204648"),
    (400, "Input is too long for requested model."),
    (400, "The input token count (1200000) exceeds the maximum number of tokens allowed."),
    (400, "Invalid request: Your request exceeded model token limit: 262144 (requested: 425573)"),
    (400, "This model's maximum prompt length is 131072 but the request contains 140000 tokens."),
    (403, "The estimated number of input and maximum output tokens (9000) exceeded this model "
          "context window limit (7968)."),
    (400, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
    (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081"),
    (413, "<html><h1>413 Request Entity Too Large</h1></html>"),
    (None, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
]  # fmt: skip

OTHERS = [
    (400, "unknown field: repetition_penalty"),
    (400, "max_tokens is too large: 100000. This model supports at most 16384 completion tokens."),
    (400, "n must be at least 1, got 0."),
    (400, "The model `gpt-5` does not exist or you do not have access to it."),
    (400, "Extra inputs are not permitted: context_window"),
    (401, "Incorrect API key provided"),
    (403, "You are not allowed to sample from this model."),
    (404, "maximum context length of a model that is not here"),
    (429, "Rate limit reached: too many tokens per minute."),
    (500, "CUDA out of memory"),
    (503, "maximum context length unknown while the model loads"),
    (None, "Connection refused"),
]


@pytest.mark.parametrize(("status", "message"), OVERFLOWS)
def test_a_refusal_for_length_is_known(status: int | None, message: str) -> None:
    assert is_context_overflow(message, status)


@pytest.mark.parametrize(("status", "message"), OTHERS)
def test_another_failure_is_none(status: int | None, message: str) -> None:
    assert not is_context_overflow(message, status)


def test_a_message_of_any_length_is_read_to_a_bound() -> None:
    assert not is_context_overflow("exceeds " * 1_000_000, 400)
    assert not is_context_overflow("longer than " * 1_000_000, 400)
