"""verl's own `main_ppo` on a CPU: for tests and the demonstration, not for real training.

verl imports this module in each of its processes when `VERL_USE_EXTERNAL_MODULES` names it (see
`cpu_environment`). All that verl does stays verl's: trainer, FSDP engine, agent loop,
TransferQueue, reward loop, checkpoints. What the wheel lacks for a CPU is added here: a platform,
a rollout, and two patches. They touch private parts, hence the exact pin.
"""

from __future__ import annotations

from typing import Any

import verl.utils.distributed
import verl.utils.fsdp_utils
import verl.workers.rollout.base
from verl.plugin.platform import PlatformRegistry
from verl.workers.rollout.replica import RolloutReplicaRegistry

from ctrl_harness.plugins.verl.cpu_environment import ROLLOUT_NAME
from ctrl_harness.plugins.verl.cpu_platform import CpuPlatform
from ctrl_harness.training.grpo_verl import require_verl


def _install() -> None:
    require_verl()
    PlatformRegistry.register(platform="cpu")(CpuPlatform)
    RolloutReplicaRegistry.register(ROLLOUT_NAME, _replica)
    adapter = "ctrl_harness.plugins.verl.cpu_rollout.CpuServerAdapter"
    verl.workers.rollout.base._ROLLOUT_REGISTRY[(ROLLOUT_NAME, "async")] = adapter
    _use_gloo_alone()
    _keep_the_reference_in_place()


def _replica() -> Any:
    # a Ray actor imports cpu_rollout first, which imports verl, which imports this module
    from ctrl_harness.plugins.verl.cpu_rollout import CpuReplica

    return CpuReplica


def _use_gloo_alone() -> None:
    """verl would ask for `cpu:gloo,cpu:gloo`, one backend a device, which torch refuses."""
    stock = verl.utils.distributed.initialize_global_process_group_ray

    def initialize(timeout_second: int | None = None, backend: str | None = None) -> None:
        stock(timeout_second, backend or "gloo")

    verl.utils.distributed.initialize_global_process_group_ray = initialize


def _keep_the_reference_in_place() -> None:
    """The reference model is offloaded to pinned memory, which torch has with accelerators only.

    No policy at all leaves its weights where they are: in memory.
    """

    def no_offload(pin_memory: bool = True) -> Any:
        del pin_memory
        return None

    verl.utils.fsdp_utils.CPUOffloadPolicy = no_offload


_install()
