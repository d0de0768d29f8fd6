"""Loaded by verl in each of its processes: lets verl 0.9.1 and trl 1.x live in one environment.

Wherever trl is installed, verl's engines patch its model with a value head, which trl 1.x has no
more, and fail. GRPO has no value model, so for verl there is no trl. The way in is verl's own:
`VERL_USE_EXTERNAL_MODULES` (`load_in_verl`).
"""

from __future__ import annotations

import verl.utils.import_utils

from ctrl_harness.training.grpo_verl import require_verl


def _no_trl() -> bool:
    return False


require_verl()
verl.utils.import_utils.is_trl_available = _no_trl
