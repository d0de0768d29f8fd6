"""The one version of verl this project works with, and the check that it is the one here.

How a reward plugs in, which keys a configuration has and how a fault leaves its group are not
part of any promise verl makes; they were read off, and tested with, this version.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from ctrl_harness.errors import UserError

VERL_VERSION = "0.9.1"
EXTERNAL_MODULES = "VERL_USE_EXTERNAL_MODULES"
"""The variable that names, with commas between them, what verl imports in each process."""


def require_verl() -> None:
    """Pass if the pinned verl is installed; nothing is imported.

    Raises:
        UserError: verl is missing, or is another version.
    """
    try:
        found = version("verl")
    except PackageNotFoundError:
        raise UserError(
            f"GRPO needs verl {VERL_VERSION}, which is not installed; "
            "install it with: pip install 'ctrl-harness[training]'"
        ) from None
    if found != VERL_VERSION:
        raise UserError(
            f"verl {found} is installed, but this project works with verl {VERL_VERSION} alone; "
            f"install it with: pip install 'verl=={VERL_VERSION}'"
        )


def load_in_verl(environment: Mapping[str, str], module: str) -> dict[str, str]:
    """`environment` in which verl's processes import `module`, before what they import already."""
    named = environment.get(EXTERNAL_MODULES, "").split(",")
    modules = [module, *(name for name in named if name and name != module)]
    return {**environment, EXTERNAL_MODULES: ",".join(modules)}
