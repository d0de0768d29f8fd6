"""From rows of TACO to a trained critic and its score, on a CPU, with a model of 0.1M weights.

    make train-demo

Each stage is a command of docs/training.md, on a smaller scale; nothing is left out but size. What
is there already is not made again, so a demonstration that was stopped goes on where it stopped.
The large models of a real run are played by scripted_model.py; `--model` has another one, such as
gguf/qwen2.5-coder-0.5b, write the drafts and critiques that the critic is fine-tuned on.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripted_model import CRITIC, GENERATOR, RIGHT, WRONG, Known, ScriptedModel, served

from ctrl_harness.errors import UserError
from ctrl_harness.plugins.verl.tiny_model import make_tiny_model
from ctrl_harness.problems import code_contests, open_dataset
from ctrl_harness.problems.rows import resolve_source
from ctrl_harness.training.taco import SAMPLES, open_taco

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SERVICE = "openai-api/scripted"

SHARES = "sft=0.45,rl=0.45,val=0.1"
SFT_EPOCHS, RL_STEPS, EVAL_PROBLEMS = 5, 2, 8


class Demo:
    """out: where everything goes. model: who writes drafts and critiques for fine-tuning."""

    def __init__(self, out: Path, model: str | None, url: str) -> None:
        self.out = out
        self.tiny = out / "tiny"
        self._model = model
        self._url = url
        self._environment = {
            **os.environ,
            "SCRIPTED_BASE_URL": url,
            "SCRIPTED_API_KEY": "none",
            "HF_HUB_OFFLINE": "1",  # nothing here comes from a hub
            "OMP_NUM_THREADS": "1",
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def make_model(self) -> None:
        texts = [known.statement for known in _taco_problems()] + [RIGHT, WRONG] * 100
        make_tiny_model(self.tiny, texts)

    def prepare(self) -> None:
        self._harness(
            "data", "taco", "--source", "samples", "--against", "samples", "--filters", "none",
            "--shares", SHARES, "--overwrite", "--out", self.out / "data",
        )  # fmt: skip

    def synthesize_sft(self) -> None:
        if self._model is None:
            how = ["--model", f"{SERVICE}/{GENERATOR}", "--critic", f"{SERVICE}/{CRITIC}"]
            each = "4"
        else:
            how = ["--model", self._model, "--max-tokens", "256", "--at-once", "4"]
            each = "1"  # a model on this machine takes minutes for as many
        self._harness(
            "synthesize", self.out / "data/sft.parquet", "--make", "sft", *how,
            "--drafts", each, "--critiques", each, "--per-problem", each,
            "--tokenizer", self.tiny, "--out", self.out / "sft",
        )  # fmt: skip

    def synthesize_rl(self) -> None:
        for split, name in (("train", "rl"), ("val", "val")):
            self._harness(
                "synthesize", self.out / f"data/{name}.parquet", "--make", "rl",
                "--split", split, "--model", f"{SERVICE}/{GENERATOR}", "--drafts", "2",
                "--tokenizer", self.tiny, "--out", self.out / name,
            )  # fmt: skip

    def fine_tune(self) -> None:
        self._harness(
            "train", "sft", "--config", "cpu_smoke", *self._settings(
                model=self.tiny, train=self.out / "sft/sft.jsonl", output=self.out / "sft_run",
                epochs=SFT_EPOCHS, save_every=20, learning_rate=3e-3,
            )
        )  # fmt: skip

    def reinforce(self) -> None:
        shutil.rmtree(self.out / "grpo", ignore_errors=True)  # two steps are not worth resuming
        self._harness(
            "train", "grpo", "--config", "cpu_smoke", *self._settings(
                **{
                    "ctrl_harness.out": self.out / "grpo",
                    "ctrl_harness.generator.url": self._url,
                    "ctrl_harness.generator.model": GENERATOR,
                    "actor_rollout_ref.model.path": self.out / "sft_run/model",
                    "data.train_files": self.out / "rl/rl.parquet",
                    "data.val_files": self.out / "val/rl.parquet",
                    "trainer.total_training_steps": RL_STEPS,
                }
            )
        )  # fmt: skip
        self._harness("trace", "summarize", self.out / "grpo/trace")

    def merge(self) -> None:
        shutil.rmtree(self.out / "critic", ignore_errors=True)
        self._harness("train", "merge", self.out / "grpo", self.out / "critic")
        print(_difference(self.out / "sft_run/model", self.out / "critic"))

    def evaluate(self) -> None:
        logs = self.out / "logs"
        shutil.rmtree(logs, ignore_errors=True)
        self._run(
            "inspect", "eval", "tasks/codecontests.py", "-T", "source=samples",
            "--model", f"{SERVICE}/{GENERATOR}", "--model-role", f"critic=hf/{self.out / 'critic'}",
            "--max-tokens", "64", "--limit", EVAL_PROBLEMS, "--seed", "1",
            "--display", "plain", "--log-dir", logs,
        )  # fmt: skip
        self._harness("table", logs)

    def _settings(self, **settings: object) -> list[str]:
        return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]

    def _harness(self, *arguments: object) -> None:
        self._run("ctrl-harness", *arguments)

    def _run(self, *command: object) -> None:
        words = [str(word) for word in command]
        print(f"$ {shlex.join(words)}", flush=True)
        code = subprocess.run(words, cwd=ROOT, env=self._environment, check=False).returncode
        if code:
            sys.exit(f"that ended with code {code}; correct it and start the demonstration again")


def run(out: Path, model: str | None) -> None:
    known = _taco_problems() + _codecontests_problems()
    with served(ScriptedModel(known)) as url:
        demo = Demo(out, model, url)
        stages: list[tuple[str, Callable[[], None], Path]] = [
            ("A tiny model, made on the spot", demo.make_model, demo.tiny / "tokenizer.json"),
            ("TACO sample rows, decontaminated and split", demo.prepare, out / "data/report.json"),
            ("Drafts, critiques and revisions", demo.synthesize_sft, out / "sft/sft.jsonl"),
            ("Drafts for reinforcement learning", demo.synthesize_rl, out / "val/rl.parquet"),
            ("Fine-tuning", demo.fine_tune, out / "sft_run/model/config.json"),
            ("GRPO, the judge as its reward", demo.reinforce, out / "grpo.done"),
            ("The checkpoint, merged", demo.merge, out / "critic.done"),
            ("The trained critic, evaluated", demo.evaluate, out / "eval.done"),
        ]
        began = time.monotonic()
        for number, (title, stage, product) in enumerate(stages, start=1):
            print(f"\n[{number}/{len(stages)}] {title}", flush=True)
            if product.exists():
                print(f"there already: {product}")
                continue
            start = time.monotonic()
            stage()
            if product.suffix == ".done":
                product.touch()
            print(f"took {time.monotonic() - start:.0f} s", flush=True)
        print(f"\nAll {len(stages)} stages: {time.monotonic() - began:.0f} s; all is in {out}")


def _taco_problems() -> list[Known]:
    wrong: dict[str, list[str]] = {}
    lines = SAMPLES.with_name("programs_taco.jsonl").read_text(encoding="utf-8").splitlines()
    for line in map(json.loads, lines):
        if not line["correct"]:
            wrong.setdefault(line["id"], []).append(line["program"])
    rows = [
        row
        for row in open_taco("samples", with_solutions=True).rows
        if not isinstance(row, UserError)
    ]
    return [
        Known(row.problem.statement, row.solutions, tuple(wrong[row.problem.id]))
        for row in rows
        if row.solutions and row.problem.id in wrong
    ]


def _codecontests_problems() -> list[Known]:
    problems = open_dataset("codecontests", source="samples")
    (file,) = resolve_source("samples", code_contests.HOME).files
    known = []
    for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        right, wrong = row["solutions"]["solution"], row["incorrect_solutions"]["solution"]
        if row["name"] in problems and right and wrong:
            known.append(Known(problems[row["name"]].statement, tuple(right), tuple(wrong)))
    return known


def _difference(before: Path, after: Path) -> str:
    from ctrl_harness.training.pretrained import load_model

    old, new = (load_model(str(path)).state_dict() for path in (before, after))
    changed = sum(not bool((old[key] == new[key].to(old[key].dtype)).all()) for key in old)
    return f"{changed} of {len(old)} tensors differ from those of fine-tuning"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "train_demo")
    parser.add_argument("--model", help="writes drafts and critiques; a scripted one by default")
    given = parser.parse_args()
    run(given.out.absolute(), given.model)


if __name__ == "__main__":
    main()
