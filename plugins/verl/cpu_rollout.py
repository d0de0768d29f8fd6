"""A rollout engine for verl that needs no accelerator: transformers in a Ray actor.

For tests and demonstrations only: no paged cache, no streams, a handful of requests at a time.
The weights come from the training engine before every step, as with vLLM.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import ray
import torch
from transformers import AutoModelForCausalLM
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

from ctrl_harness.plugins.verl.cpu_environment import ROLLOUT_NAME
from ctrl_harness.plugins.verl.cpu_sampling import Request, sample

MAX_BATCH = 16
MAX_CALLS = 1024
"""Calls that may wait in the actor at once: the requests of a step, with room for control."""


def server_name(replica_rank: int) -> str:
    return f"{ROLLOUT_NAME}_server_{replica_rank}"


class _Waiting(NamedTuple):
    request: Request
    answer: asyncio.Future[TokenOutput]


class CpuServer:
    """Ray actor: a model in this process, asked for token ids and given new weights."""

    def __init__(self, path: str, prompt_length: int, response_length: int, seed: int) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        self._model = model.eval()
        self._context = prompt_length + response_length
        self._response_length = response_length
        self._global_steps = 0
        self._waiting: list[_Waiting] = []
        self._model_in_use = asyncio.Lock()

    async def generate(
        self,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        request_id: str,
        image_data: object = None,
        video_data: object = None,
        **_ignored: object,
    ) -> TokenOutput:
        """Token ids in, token ids and their log-probabilities out, as verl's vLLM server.

        Requests that arrive while the model is at work are batched for its next turn.
        """
        del request_id
        if image_data is not None or video_data is not None:
            raise ValueError("the CPU rollout takes text alone")
        room = min(self._response_length, self._context - len(prompt_ids))
        new_tokens = int(sampling_params.get("max_tokens", room))
        request = Request(
            prompt_ids=tuple(prompt_ids),
            max_new_tokens=max(1, new_tokens),
            temperature=float(sampling_params.get("temperature", 1.0)),
            top_p=float(sampling_params.get("top_p", 1.0)),
            top_k=int(sampling_params.get("top_k", -1)),
        )
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        async with self._model_in_use:
            if not waiting.answer.done():
                await self._serve_the_next()
        return await waiting.answer

    async def _serve_the_next(self) -> None:
        first = self._waiting[0].request
        batch = [one for one in self._waiting if one.request.settings == first.settings][:MAX_BATCH]
        self._waiting = [one for one in self._waiting if one not in batch]
        try:
            drawn = await asyncio.to_thread(sample, self._model, [one.request for one in batch])
        except (RuntimeError, ValueError) as error:
            for one in batch:
                one.answer.set_exception(error)
            return
        for one, tokens in zip(batch, drawn, strict=True):
            output = TokenOutput(
                token_ids=tokens.ids,
                log_probs=tokens.log_probs,
                stop_reason="completed",
                extra_fields={"global_steps": self._global_steps},
            )
            one.answer.set_result(output)

    async def load_weights(self, weights: dict[str, Any], global_steps: int | None) -> None:
        """Take `weights` (arrays by name), all of the model's and no others."""
        state = {name: torch.from_numpy(value) for name, value in weights.items()}
        async with self._model_in_use:
            missing, unexpected = self._model.load_state_dict(state, strict=False)
            tied = set(self._model.all_tied_weights_keys)
            if unexpected or set(missing) - tied:
                raise ValueError(f"weights do not fit: missing {missing}, unknown {unexpected}")
            if global_steps is not None:
                self._global_steps = global_steps

    async def _nothing(self, *_args: object, **_kwargs: object) -> None:
        """Control calls about a GPU's memory, its cache and its profiler."""

    wake_up = sleep = clear_kv_cache = release_kv_cache = resume_kv_cache = _nothing
    abort_all_requests = resume_generation = start_profile = stop_profile = _nothing


class CpuReplica(RolloutReplica):  # type: ignore[misc]  # verl's types are not looked at
    """One server for each rank of the training engine."""

    async def launch_servers(self) -> None:
        name = server_name(self.replica_rank)
        actor = ray.remote(CpuServer).options(name=name, num_cpus=0, max_concurrency=MAX_CALLS)
        server = actor.remote(
            self.model_config.path,
            self.config.prompt_length,
            self.config.response_length,
            self.config.seed + self.replica_rank,  # as verl's vLLM server
        )
        self.servers = [server]
        self._server_handle = server
        self._server_address = name


class CpuServerAdapter(BaseRollout):  # type: ignore[misc]
    """In the training process: hands the engine's weights to the server of its rank."""

    def __init__(
        self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1
    ) -> None:
        super().__init__(config, model_config, device_mesh)
        self.replica_rank = int(os.environ["RANK"]) if replica_rank < 0 else replica_rank
        self.sleep_level = 2  # read by the engine: nothing stays in the server while it sleeps

    async def resume(self, tags: list[str]) -> None:
        """The server never sleeps."""

    async def release(self) -> None:
        """The server keeps its memory."""

    async def update_weights(
        self,
        weights: Iterable[tuple[str, torch.Tensor]],
        wire_format: str = "named_tensors",
        global_steps: int | None = None,
        peft_config: object = None,
        **_ignored: object,
    ) -> None:
        if wire_format != "named_tensors" or peft_config is not None:
            raise ValueError(
                "the CPU rollout takes whole weights: set actor_rollout_ref.model.lora.merge=True"
            )
        arrays = {name: value.detach().float().cpu().numpy() for name, value in weights}
        server = ray.get_actor(server_name(self.replica_rank))
        await server.load_weights.remote(arrays, global_steps)
