"""What a GRPO run needs and does, by arithmetic on its configuration: nothing is loaded or run.

The memory is that of weights, gradients, optimizer, activations and logits under full sharding
with bfloat16 computation and gradient checkpointing. It leaves out what torch, NCCL and CUDA keep
for themselves (2 to 5 GB a GPU). Work is an upper bound: every text as long as it may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ctrl_harness.training.estimate_shapes import BYTES_BF16, Shape, shape_of
from ctrl_harness.training.grpo_config import GrpoConfig
from ctrl_harness.training.grpo_preflight import data_files
from ctrl_harness.training.reward_settings import RewardSettings
from ctrl_harness.training.rl_rows import Episode

GB = 1e9
_BYTES_FP32 = 4
_ADAM_BYTES = 8  # two moments in float32
_LOGIT_BYTES = 10  # bfloat16, its float32 copy, and the gradient of that
_SAMPLED_ROWS = 256


class Work(NamedTuple):
    """Of one step, at most; tests is None where the data are not there to count them."""

    drafts: int
    critiques: int
    critic_tokens: int
    revisions: int
    generator_tokens: int
    tests: int | None


class Memory(NamedTuple):
    """In bytes. The GPU's two phases follow one another; the host's is of all nodes together."""

    training: float
    rollout: float
    host: float


@dataclass(frozen=True)
class Estimate:
    """Of one run. steps is None where the data are not there to count them."""

    name: str
    critic: str
    generator: str
    critic_parameters: int
    trained_parameters: int
    generator_parameters: int | None
    gpus: int
    generator_gpus: int
    gpu_memory: float
    memory: Memory
    generator_gpu: float | None
    cached_tokens: int
    work: Work
    steps: int | None

    @property
    def fits(self) -> bool:
        return max(self.memory.training, self.memory.rollout) <= self.gpu_memory

    def __str__(self) -> str:
        lines = [
            ("configuration", self.name),
            ("critic", f"{self.critic}, {_count(self.critic_parameters)} weights"),
            ("", f"of which trained: {_count(self.trained_parameters)}"),
            ("generator", self._generator_line()),
            ("GPUs", f"{self.gpus} for the critic, {self.generator_gpus} for the generator"),
            ("a GPU, training", f"{self.memory.training / GB:.1f} GB"),
            ("a GPU, rollout", f"{self.memory.rollout / GB:.1f} GB"),
            ("", f"of {self.gpu_memory / GB:.0f} GB: {'fits' if self.fits else 'does NOT fit'}"),
            ("rollout's cache", f"{self.cached_tokens:,} tokens an engine"),
            ("hosts together", f"{self.memory.host / GB:.0f} GB"),
            *self._generator_memory(),
            *self._work_lines(),
        ]
        width = max(len(label) for label, _ in lines)
        return "\n".join(f"{label:<{width}}  {value}".rstrip() for label, value in lines)

    def _generator_line(self) -> str:
        if self.generator_parameters is None:
            return f"{self.generator}, of unknown size"
        return f"{self.generator}, {_count(self.generator_parameters)} weights"

    def _generator_memory(self) -> list[tuple[str, str]]:
        if self.generator_gpu is None:
            return []
        return [("a GPU, generator", f"{self.generator_gpu / GB:.1f} GB of weights")]

    def _work_lines(self) -> list[tuple[str, str]]:
        tests = "unknown until the data are there" if self.work.tests is None else None
        steps = "unknown until the data are there" if self.steps is None else f"{self.steps:,}"
        return [
            ("a step: drafts", f"{self.work.drafts:,}"),
            ("a step: critiques", f"{self.work.critiques:,}"),
            ("a step: critic tokens", f"at most {self.work.critic_tokens:,} written"),
            ("a step: revisions", f"{self.work.revisions:,}"),
            ("a step: generator tokens", f"at most {self.work.generator_tokens:,} written"),
            ("a step: tests", tests or f"about {self.work.tests:,}"),
            ("steps", steps),
        ]


def estimate_run(config: GrpoConfig) -> Estimate:
    """Of a configuration that verl accepts.

    Raises:
        UserError: the critic's shape cannot be found.
    """
    path = str(config.value("actor_rollout_ref.model.path"))
    critic = path if (Path(path) / "config.json").is_file() else config.ours.critic
    shape = shape_of(critic)
    rank = int(config.value("actor_rollout_ref.model.lora_rank") or 0)
    trained = shape.lora_parameters(rank) if rank else shape.parameters
    frozen = shape_of(config.ours.generator.model) if _named(config) else None
    rows, tests_each = _of_data(config)
    batch = int(config.value("data.train_batch_size"))
    critiques = batch * int(config.value("actor_rollout_ref.rollout.n"))
    reward = config.reward or RewardSettings()
    revisions = critiques * reward.revisions if reward.revises else 0
    work = Work(
        drafts=batch,
        critiques=critiques,
        critic_tokens=critiques * int(config.value("data.max_response_length")),
        revisions=revisions,
        generator_tokens=revisions * reward.generator_max_tokens,
        tests=None if tests_each is None else round(revisions * tests_each),
    )
    epochs = int(config.value("trainer.total_epochs"))
    return Estimate(
        name=config.name,
        critic=critic,
        generator=config.ours.generator.model,
        critic_parameters=shape.parameters,
        trained_parameters=trained,
        generator_parameters=frozen.parameters if frozen else None,
        gpus=config.gpus,
        generator_gpus=config.ours.generator.gpus,
        gpu_memory=config.ours.gpu_memory_gb * GB,
        memory=_memory(config, shape, trained),
        generator_gpu=_generator_gpu(config, frozen),
        cached_tokens=_cached_tokens(config, shape),
        work=work,
        steps=config.value("trainer.total_training_steps")
        or (None if rows is None else rows // batch * epochs),
    )


def _named(config: GrpoConfig) -> bool:
    """Whether the generator is a model one could serve; a scripted one has no repository."""
    name = config.ours.generator.model
    return "/" in name or Path(name).is_dir()


def _memory(config: GrpoConfig, shape: Shape, trained: int) -> Memory:
    gpus = config.gpus
    actor = "actor_rollout_ref.actor"
    weights = shape.parameters * _BYTES_FP32
    if trained != shape.parameters:
        weights += trained * _BYTES_FP32
    states = trained * _ADAM_BYTES
    tokens = int(config.value("data.max_prompt_length"))
    tokens += int(config.value("data.max_response_length"))
    packed = tokens * int(config.value(f"{actor}.ppo_micro_batch_size_per_gpu"))
    # a layer's input is kept for each layer; two layers are gathered at once
    activations = packed * shape.hidden * shape.layers * BYTES_BF16
    gathered = (2 * shape.layer_parameters + shape.vocabulary * shape.hidden) * BYTES_BF16
    logits = packed * shape.vocabulary * _LOGIT_BYTES
    sharded = (weights + states + trained * _BYTES_FP32) / gpus
    training = sharded + activations + gathered + logits
    rollout = config.ours.gpu_memory_gb * GB
    rollout *= float(config.value("actor_rollout_ref.rollout.gpu_memory_utilization"))
    # the reference is kept in the hosts' memory; LoRA's is the actor without its adapter
    host = 0.0 if trained != shape.parameters else float(shape.parameters * _BYTES_FP32)
    for kind, size in (("param_offload", weights), ("optimizer_offload", states)):
        if config.value(f"{actor}.fsdp_config.{kind}"):
            host += size
        else:
            rollout += size / gpus
    shared = config.ours.gpu_memory_gb * GB * config.ours.generator.gpu_share
    return Memory(training + shared, rollout + shared, host)


def _cached_tokens(config: GrpoConfig, shape: Shape) -> int:
    """Tokens that one rollout engine can hold."""
    rollout = "actor_rollout_ref.rollout"
    engine_gpus = int(config.value(f"{rollout}.tensor_model_parallel_size"))
    share = float(config.value(f"{rollout}.gpu_memory_utilization"))
    room = config.ours.gpu_memory_gb * GB * share * engine_gpus - shape.parameters * BYTES_BF16
    return max(0, math.floor(room / shape.cache_bytes))


def _generator_gpu(config: GrpoConfig, frozen: Shape | None) -> float | None:
    if frozen is None:
        return None
    return frozen.parameters * BYTES_BF16 / config.ours.generator.tensor_parallel


def _of_data(config: GrpoConfig) -> tuple[int | None, float | None]:
    """Rows, and tests a row by the mean of the first of them; None where the files are missing."""
    files = [Path(file) for file in data_files(config, "data.train_files")]
    if not files or not all(file.is_file() for file in files):
        return None, None
    from pyarrow import parquet  # type: ignore[import-untyped]

    rows, tests, seen = 0, 0, 0
    for file in files:
        with parquet.ParquetFile(file) as table:
            rows += table.metadata.num_rows
            if config.reward is None:
                continue
            for batch in table.iter_batches(batch_size=64, columns=["extra_info"]):
                if seen >= _SAMPLED_ROWS:
                    break
                for row in batch.to_pylist():
                    tests += len(Episode.from_extra_info(row["extra_info"]).problem.cases)
                    seen += 1
    return rows, tests / seen if seen else None


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.2f}B" if parameters >= 1e8 else f"{parameters / 1e6:.2f}M"
