"""A CPU in the shape of one of verl's accelerators. For tests and demonstrations only."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from verl.plugin.platform import PlatformBase

_CLAIMED_BYTES = 16 << 30
"""What `mem_get_info` says; read by logging alone."""


def _device_module() -> types.SimpleNamespace:
    """`torch.cpu` with the names of `torch.cuda` that verl calls, none of which acts."""
    module = types.SimpleNamespace(
        **{name: getattr(torch.cpu, name) for name in dir(torch.cpu) if not name.startswith("_")}
    )

    def nothing(*_args: Any, **_kwargs: Any) -> None:
        return None

    def no_bytes(*_args: Any, **_kwargs: Any) -> int:
        return 0

    for name in ("max_memory_allocated", "max_memory_reserved", "memory_allocated"):
        setattr(module, name, no_bytes)
    for name in ("empty_cache", "ipc_collect", "reset_peak_memory_stats", "set_device"):
        setattr(module, name, nothing)
    module.memory_reserved = no_bytes
    module.synchronize = nothing
    module.manual_seed = torch.manual_seed
    module.manual_seed_all = torch.manual_seed
    module.get_rng_state = lambda *_args: torch.get_rng_state()
    module.set_rng_state = lambda state, *_args: torch.set_rng_state(state)
    module.mem_get_info = lambda *_args: (_CLAIMED_BYTES, _CLAIMED_BYTES)
    module.get_device_name = lambda *_args: "cpu"
    module.is_available = lambda: True
    module.device_count = lambda: 1
    module.current_device = lambda: "cpu"
    return module


class CpuPlatform(PlatformBase):  # type: ignore[misc]  # verl's types are not looked at
    """One device, gloo for collectives, a logical `GPU` in Ray for each worker."""

    _module = _device_module()

    @property
    def device_name(self) -> str:
        return "cpu"

    @property
    def vendor_name(self) -> str:
        return "cpu"

    @property
    def device_module(self) -> Any:
        return self._module

    def is_available(self) -> bool:
        return True

    def current_device(self) -> str:
        return "cpu"  # handed to `Tensor.to`, where an index would mean an accelerator

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None:
        """There is one."""

    def synchronize(self, device_index: int | None = None) -> None:
        """Nothing is ever in flight."""

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None:
        """The allocator is the system's."""

    def empty_cache(self) -> None:
        """There is none."""

    def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None:
        """No profiler."""

    def profiler_stop(self) -> None:
        """No profiler."""

    def ray_resource_name(self) -> str:
        return "GPU"  # a logical one: ray_kwargs.ray_init.num_gpus says how many

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False

    def cudart(self) -> None:
        return None
