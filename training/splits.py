"""The split of problems into those for SFT, for RL, and for choosing checkpoints.

A problem's place follows from its id and a seed alone: neither the order of rows nor what else was
kept or dropped moves it, and every draft and critique of a problem stays on its side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ctrl_harness.errors import UserError

NAMES = ("sft", "rl", "val")
DEFAULT = "sft=0.4,rl=0.55,val=0.05"


@dataclass(frozen=True, slots=True)
class Shares:
    """The expected share of each split, together 1.

    overlap: sft and rl both hold everything that is not val, as in CTRL, which trains both stages
    on the same problems. Raises UserError for shares that are none.
    """

    sft: float
    rl: float
    val: float
    overlap: bool = False

    def __post_init__(self) -> None:
        shares = (self.sft, self.rl, self.val)
        if not all(0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-9:
            raise UserError(
                f"shares sft={self.sft}, rl={self.rl}, val={self.val} do not make 1; give three"
                f" shares such as {DEFAULT}"
            )

    @classmethod
    def parse(cls, text: str, *, overlap: bool = False) -> Shares:
        """`sft=0.4,rl=0.55,val=0.05`; one that is not named is 0. Raises UserError."""
        found: dict[str, float] = {}
        for part in text.split(","):
            name, _, number = part.partition("=")
            name = name.strip()
            if name not in NAMES or name in found:
                raise UserError(f"shares {text!r} cannot be read; write them as {DEFAULT}")
            try:
                found[name] = float(number)
            except ValueError:
                raise UserError(f"share {part!r} is no number; write {DEFAULT}") from None
        return cls(**{name: found.get(name, 0.0) for name in NAMES}, overlap=overlap)

    def of(self, problem_id: str, seed: int) -> tuple[str, ...]:
        """The splits that the problem belongs to: one, or sft and rl where they overlap."""
        digest = hashlib.sha256(f"{seed}\0{problem_id}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        # val lies at the beginning, so that it stays the same whatever the others share
        if place < self.val:
            return ("val",)
        if self.overlap:
            return ("sft", "rl")
        return ("sft",) if place < self.val + self.sft else ("rl",)
