"""The folder of one run: what it was started with, how far it came, and whether it is finished.

    run.json        the settings and data that decide the weights
    checkpoints/    the trainer's own, to resume from
    sft.json        the report, once finished
    model/          the weights and tokenizer in Hugging Face's layout, once finished

A run that is killed at any moment goes on from its last whole checkpoint.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctrl_harness.errors import UserError

_LAST_WRITTEN = "trainer_state.json"
_MODEL = "config.json"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """path: the run's `output`."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def model_in_writing(self) -> Path:
        return self.path / "model.part"

    @property
    def report(self) -> Path:
        return self.path / "sft.json"

    @property
    def finished(self) -> bool:
        """The model appears under its name only when it is whole, after the report."""
        return (self.model / _MODEL).is_file() and self.report.is_file()

    def check(self, identity: Mapping[str, Any]) -> None:
        """Raises UserError where the folder holds another run, or what no run of ours wrote."""
        try:
            known = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            # the trainer makes the folder of checkpoints before it looks at its arguments
            if self.path.is_dir() and {*self.path.iterdir()} - {self.checkpoints}:
                raise UserError(
                    f"output={self.path} holds other files; give a new folder, or empty this one"
                ) from None
            return
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.path / 'run.json'} cannot be read ({error}); give another output"
            ) from None
        wanted = json.loads(json.dumps(identity))
        changed = sorted(key for key in {*known, *wanted} if known.get(key) != wanted.get(key))
        if changed:
            raise UserError(
                f"output={self.path} holds a run with another {' and '.join(changed)}; give a new"
                " folder, or remove this one"
            )

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Writes down what the run is. Raises OSError where the disk does not take it."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "run.json", identity)

    def last_checkpoint(self) -> Path | None:
        """The newest one that was written to its end."""
        found = {int(path.name.rpartition("-")[2]): path for path in self._all() if _whole(path)}
        return found[max(found)] if found else None

    def remove_broken(self) -> list[str]:
        """Takes away what a killed run left half-written; its names."""
        broken = [path for path in self._all() if not _whole(path)]
        if self.model_in_writing.is_dir():
            broken.append(self.model_in_writing)
        for path in broken:
            shutil.rmtree(path)
        return [path.name for path in broken]

    def _all(self) -> list[Path]:
        return [path for path in self.checkpoints.glob("checkpoint-*") if path.is_dir()]


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """The whole file or none of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _whole(checkpoint: Path) -> bool:
    """The trainer writes its own state last."""
    try:
        json.loads((checkpoint / _LAST_WRITTEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
