"""The environment in which verl finds the CPU plug-in. Light: imports neither torch nor verl."""

from __future__ import annotations

from collections.abc import Mapping

from ctrl_harness.training.grpo_verl import load_in_verl

PLUGIN = "ctrl_harness.plugins.verl.cpu"
ROLLOUT_NAME = "transformers_cpu"
"""The value of `actor_rollout_ref.rollout.name` that the plug-in answers to."""


def cpu_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """`inherited` with what verl's processes need to run on a CPU.

    For tests and demonstrations. Other external modules that are already named stay, after ours.
    """
    return {
        "GLOO_SOCKET_IFNAME": "lo",  # else gloo asks the resolver for this machine's name
        "OMP_NUM_THREADS": "1",  # a dozen processes share the cores
        "RAY_USAGE_STATS_ENABLED": "0",
        "TOKENIZERS_PARALLELISM": "false",
        **load_in_verl(inherited, PLUGIN),
        "VERL_PLATFORM": "cpu",
        "VERL_ENGINE_DEVICE": "cuda",  # the FSDP engine is registered under no other name
    }
