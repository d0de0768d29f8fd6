"""`compare judgebench`: judges beside each other, models, plug-ins and stored decisions alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PUBLISHED = {  # per cent: overall, knowledge, reasoning, math, coding
    "Skywork_Skywork-Reward-Gemma-2-27B": (64.29, 59.74, 66.33, 83.93, 50.00),
    "Skywork_Skywork-Reward-Llama-3.1-8B": (62.29, 59.09, 64.29, 76.79, 50.00),
    "internlm_internlm2-20b-reward": (63.43, 62.34, 69.39, 66.07, 50.00),
    "Ray2333_GRM-Gemma-2B-rewardmodel-ft": (59.43, 62.99, 53.06, 64.29, 54.76),
}


def numbers(out: Path, name: str) -> dict[str, Any]:
    told = json.loads((out / "comparison.json").read_text())
    return {key: number["value"] for key, number in told["numbers"][name].items()}


@pytest.mark.slow
def test_stored_decisions_and_a_model_are_compared_on_the_same_pairs(
    harness_cli, new_script, sample_rows, tmp_path
):
    rows = sample_rows("judgebench")[:6]
    script = new_script()
    stored = tmp_path / "stored.jsonl"
    with stored.open("w") as file:
        for row in rows:
            other = "B>A" if row["label"] == "A>B" else "A>B"
            script.line(row["pair_id"], "critic", 1, f"[[{row['label']}]]")
            script.line(row["pair_id"], "critic", 2, f"[[{other}]]")
            # always the first one shown, whatever it says
            file.write(json.dumps({"pair_id": row["pair_id"], "decisions": ["A>B", "A>B"]}) + "\n")
    done = harness_cli(
        "compare", "judgebench", "--source", "samples", "--limit", "6", "--model", script.save(),
        "--critic", "model", "--critic", f"first=recorded:{stored}", "--out", "out",
        "--draws", "200",
    )  # fmt: skip
    assert done.code == 0, done.text
    assert "6 pairs, decided by every judge" in done.stdout
    assert "Traceback" not in done.stderr
    assert numbers(tmp_path / "out", "model")["accuracy"] == 1
    first = numbers(tmp_path / "out", "first")
    assert (first["accuracy"], first["tied"], first["position_bias"]) == (0, 1, 1)


def test_a_pair_without_a_stored_decision_is_marked_and_the_others_go_on(
    harness_cli, sample_rows, tmp_path
):
    rows = sample_rows("judgebench")[:4]
    stored = tmp_path / "stored.jsonl"
    lines = [{"pair_id": row["pair_id"], "decisions": ["A>B", "B>A"]} for row in rows[:3]]
    stored.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = harness_cli(
        "compare", "judgebench", "--source", "samples", "--limit", "4", "--critic",
        f"a=recorded:{stored}", "--out", "out", "--draws", "200",
    )  # fmt: skip
    assert done.code == 1, done.text
    assert "3 pairs, decided by every judge" in done.stdout
    assert "a: 1 samples are in no number" in done.stdout
    assert rows[3]["pair_id"] in done.stdout


@pytest.mark.slow
def test_the_published_accuracies_come_out(harness_cli, real_data, tmp_path):
    folder = real_data / "judgebench"
    (source,) = folder.glob("*.jsonl.gz")
    critics = [
        part
        for name in PUBLISHED
        for part in (
            "--critic", f"{name}=recorded:{folder}/published_judge_decisions/{name}.jsonl"
        )
    ]  # fmt: skip
    done = harness_cli(
        "compare", "judgebench", "--source", source, *critics, "--out", "out", "--draws", "200"
    )
    assert done.code == 0, done.text
    for name, published in PUBLISHED.items():
        found = numbers(tmp_path / "out", name)
        keys = [f"accuracy_{name}" for name in ("knowledge", "reasoning", "math", "coding")]
        assert tuple(round(100 * found[key], 2) for key in ["accuracy", *keys]) == published
