"""Fine-tuning on a tiny model: what is learnt, what a killed run leaves, what input is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("trl", reason="the extra `training`")

from ctrl_harness.errors import UserError
from ctrl_harness.plugins.verl.tiny_model import make_tiny_model
from ctrl_harness.training.pretrained import load_model, load_tokenizer
from ctrl_harness.training.sft import run
from ctrl_harness.training.sft_config import CONFIGS, SftConfig, read_config
from ctrl_harness.training.sft_data import SftData, read_examples
from ctrl_harness.training.sft_folder import RunFolder
from ctrl_harness.training.sft_trainer import Training

N_ROWS = 24
ANSWERS = ("Analysis: it adds.\n\nOverall judgment: Correct", "Overall judgment: Incorrect")


def _rows() -> list[dict[str, Any]]:
    """Short chats whose answer depends on the question."""
    return [
        {
            "messages": [
                {"role": "system", "content": "You judge programs."},
                {"role": "user", "content": f"Is print({number}) right?"},
                {"role": "assistant", "content": ANSWERS[number % 2]},
            ],
            "problem": f"made/{number}",
        }
        for number in range(N_ROWS)
    ]


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [message["content"] for row in _rows() for message in row["messages"]]
    return make_tiny_model(tmp_path_factory.mktemp("tiny"), texts)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return _write(tmp_path / "sft.jsonl", _rows())


@pytest.fixture
def config(model: Path, rows: Path, tmp_path: Path) -> Callable[..., SftConfig]:
    def make(**changes: Any) -> SftConfig:
        settings = {
            "model": str(model), "train": rows, "output": tmp_path / "run", "precision": "fp32",
            "batch": 4, "rows_per_device": 2, "learning_rate": 1e-3, "save_every": 2,
            "gradient_checkpointing": False, **changes,
        }  # fmt: skip
        return SftConfig.model_validate(settings)

    return make


def _weights(folder: Path) -> dict[str, Any]:
    return dict(load_model(str(folder)).state_dict())


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def _training(config: SftConfig, data: SftData) -> Training:
    tokenizer = load_tokenizer(config.model)
    folder = RunFolder(config.output)
    folder.begin({})
    return Training(config, tokenizer, data, None, folder, config.accumulation(1), print)


# What is learnt


def test_only_the_answer_and_its_end_are_learnt(model: Path, rows: Path) -> None:
    tokenizer = load_tokenizer(str(model))
    data = read_examples(rows, tokenizer, 2048, "drop")

    for row, example in zip(_rows(), data.examples, strict=True):
        learnt = [label for label in example.labels if label != -100]
        read = example.input_ids[: -len(learnt)]
        answer = row["messages"][-1]["content"]
        assert tokenizer.decode(learnt) == answer + tokenizer.eos_token
        assert tokenizer.decode(read) == tokenizer.apply_chat_template(
            row["messages"][:-1], add_generation_prompt=True, tokenize=False
        )


def test_what_reaches_the_model_is_those_tokens_and_labels(
    config: Callable[..., SftConfig], model: Path, rows: Path
) -> None:
    tokenizer = load_tokenizer(str(model))
    data = read_examples(rows, tokenizer, 2048, "drop")
    expected = {(tuple(ids), tuple(labels)) for ids, labels in data.examples}

    seen = set()
    for batch in _training(config(), data).trainer.get_train_dataloader():
        for ids, labels, mask in zip(
            batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
        ):
            length = int(mask.sum())
            assert set(labels[length:].tolist()) <= {-100}
            seen.add((tuple(ids[:length].tolist()), tuple(labels[:length].tolist())))

    assert seen == expected


def test_a_padded_batch_has_the_loss_of_its_learnt_tokens_alone(
    config: Callable[..., SftConfig], model: Path, rows: Path
) -> None:
    import torch

    data = read_examples(rows, load_tokenizer(str(model)), 2048, "drop")
    trainer = _training(config(), data).trainer
    chosen = data.examples[:3]
    batch = trainer.data_collator([example._asdict() for example in chosen])
    with torch.no_grad():
        loss = float(trainer.compute_loss(trainer.model.eval(), dict(batch)))

    plain = load_model(str(model)).eval()
    total, count = 0.0, 0
    for ids, labels in chosen:
        with torch.no_grad():
            logits = plain(torch.tensor([ids])).logits[0, :-1]
        wanted = torch.tensor(labels[1:])
        total += float(torch.nn.functional.cross_entropy(logits, wanted, reduction="sum"))
        count += int((wanted != -100).sum())
    assert loss == pytest.approx(total / count, rel=1e-4)


def test_a_row_that_is_too_long_is_left_out_and_counted_and_never_cut(
    model: Path, tmp_path: Path
) -> None:
    tokenizer = load_tokenizer(str(model))
    long = _rows()[0]
    long["messages"][1]["content"] = "why? " * 500
    path = _write(tmp_path / "sft.jsonl", [_rows()[1], long, _rows()[2]])

    data = read_examples(path, tokenizer, 200, "drop")
    whole = read_examples(path, tokenizer, 100_000, "drop")

    assert data.too_long == (2,)
    assert data.examples == (whole.examples[0], whole.examples[2])
    with pytest.raises(UserError, match=r"line 2 of .* tokens, more than max_tokens=200"):
        read_examples(path, tokenizer, 200, "refuse")


def test_a_row_of_just_the_limit_stays(model: Path, rows: Path) -> None:
    tokenizer = load_tokenizer(str(model))
    longest = max(len(ids) for ids, _ in read_examples(rows, tokenizer, 2048, "drop").examples)

    assert not read_examples(rows, tokenizer, longest, "drop").too_long
    assert read_examples(rows, tokenizer, longest - 1, "drop").too_long


def test_a_template_that_tells_an_answered_chat_otherwise_is_refused(
    model: Path, rows: Path
) -> None:
    tokenizer = load_tokenizer(str(model))
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '<|im_end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: <think>' }}{% endif %}"
    )
    with pytest.raises(UserError, match=r"chat template .*line 1 of "):
        read_examples(rows, tokenizer, 2048, "drop")


# A run


def test_a_run_learns_and_leaves_a_model_a_report_and_checkpoints(
    config: Callable[..., SftConfig], model: Path
) -> None:
    said: list[str] = []
    folder = RunFolder(run(config(epochs=3), said.append).parent)
    report = json.loads(folder.report.read_text())

    assert report["rows"] == N_ROWS and report["steps"] == 18
    assert report["losses"][-1] < report["losses"][0]
    assert not _same(_weights(folder.model), _weights(model))
    assert load_tokenizer(str(folder.model)).chat_template
    assert [line for line in said if line.startswith("step 18 of 18: loss")]
    assert sorted(path.name for path in folder.checkpoints.iterdir() if path.is_dir()) == [
        "checkpoint-16",
        "checkpoint-18",
    ]


def test_the_last_batch_need_not_be_full(config: Callable[..., SftConfig]) -> None:
    folder = RunFolder(run(config(batch=10), lambda line: None).parent)
    assert json.loads(folder.report.read_text())["steps"] == 3  # of 10, 10 and 4 rows


def test_a_finished_run_is_not_repeated(config: Callable[..., SftConfig]) -> None:
    model = run(config(max_steps=2), lambda line: None)
    before = (model / "model.safetensors").stat().st_mtime_ns
    said: list[str] = []

    assert run(config(max_steps=2), said.append) == model
    assert (model / "model.safetensors").stat().st_mtime_ns == before
    assert "finished already" in said[-1]


def test_bf16_runs_leave_bf16_weights(config: Callable[..., SftConfig]) -> None:
    model = run(config(precision="bf16", max_steps=1), lambda line: None)
    assert json.loads((model / "config.json").read_text())["dtype"] == "bfloat16"


def test_adapters_are_merged_into_the_weights(
    config: Callable[..., SftConfig], model: Path
) -> None:
    lora = {"rank": 4, "alpha": 8}
    merged = run(config(lora=lora, max_steps=4, learning_rate=1e-2), lambda line: None)
    before, after = _weights(model), _weights(merged)

    assert before.keys() == after.keys()
    assert not _same(before, after)
    assert (before["model.embed_tokens.weight"] == after["model.embed_tokens.weight"]).all()


def test_checking_writes_nothing(config: Callable[..., SftConfig]) -> None:
    said: list[str] = []
    run(config(), said.append, check_only=True)
    assert "24 rows" in said[0]
    assert not config().output.exists()


# A run that was killed


def _as_file(config: SftConfig, path: Path) -> Path:
    path.write_text(json.dumps(config.model_dump(mode="json")), encoding="utf-8")  # JSON is YAML
    return path


def _start(config_file: Path) -> subprocess.Popen[str]:
    code = "from ctrl_harness.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "train", "sft", "--config", str(config_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        cwd=config_file.parent,
        start_new_session=True,
    )


def _finish(config_file: Path) -> str:
    process = _start(config_file)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_weights_of_an_undisturbed_one(
    config: Callable[..., SftConfig], tmp_path: Path
) -> None:
    disturbed, undisturbed = tmp_path / "disturbed", tmp_path / "undisturbed"
    file = _as_file(config(epochs=5, output=disturbed), tmp_path / "disturbed.yaml")
    _finish(_as_file(config(epochs=5, output=undisturbed), tmp_path / "undisturbed.yaml"))

    process = _start(file)
    folder = RunFolder(disturbed)
    deadline = time.monotonic() + 200
    while folder.last_checkpoint() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    stopped_at = folder.last_checkpoint()
    assert stopped_at is not None and not folder.finished

    said = _finish(file)

    assert f"going on from {stopped_at.name}" in said
    assert _same(_weights(folder.model), _weights(RunFolder(undisturbed).model))


def test_a_checkpoint_that_was_being_written_is_not_gone_on_from(
    config: Callable[..., SftConfig],
) -> None:
    made = config(max_steps=6)
    expected = _weights(run(made, lambda line: None))
    folder = RunFolder(made.output)
    shutil.rmtree(folder.model)
    (folder.checkpoints / "checkpoint-6" / "trainer_state.json").write_text('{"global_st')

    said: list[str] = []
    run(made, said.append)

    assert "removed checkpoint-6, which was left half-written" in said
    assert "going on from checkpoint-4" in said
    assert _same(_weights(folder.model), expected)


@pytest.mark.slow
def test_two_processes_train_what_one_does(
    config: Callable[..., SftConfig], tmp_path: Path
) -> None:
    import torch

    alone = _weights(run(config(output=tmp_path / "one"), lambda line: None))
    file = _as_file(config(output=tmp_path / "two"), tmp_path / "two.yaml")
    code = tmp_path / "start.py"
    code.write_text("from ctrl_harness.cli.main import run\nrun()\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"),
            *("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"),
            *("--num_cpu_threads_per_process", "1", str(code)),
            *("train", "sft", "--config", str(file)),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("step 6 of 6: loss") == 1  # one of the two speaks
    together = _weights(tmp_path / "two" / "model")
    for key, weight in alone.items():
        assert torch.allclose(weight, together[key], atol=1e-4), key


# What is refused, in one sentence


def _refusal(config: SftConfig) -> str:
    with pytest.raises(UserError) as caught:
        run(config, lambda line: None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_that_is_not_there_is_refused(
    config: Callable[..., SftConfig], tmp_path: Path
) -> None:
    said = _refusal(config(model=str(tmp_path / "nothing")))
    assert "no tokenizer can be loaded" in said and "nothing" in said


def test_a_model_without_weights_is_refused(
    config: Callable[..., SftConfig], model: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "no model can be loaded" in _refusal(config(model=str(broken)))
    weights.unlink()
    said = _refusal(config(model=str(broken), output=tmp_path / "other"))
    assert "no model can be loaded" in said


def test_a_tokenizer_without_a_chat_template_is_refused(
    config: Callable[..., SftConfig], model: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(model, base)
    (base / "chat_template.jinja").unlink()
    assert "has no chat template" in _refusal(config(model=str(base)))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"prompt": "a", "completion": "b"}', "it has no list of messages"),
        ('{"messages": [{"role": "user", "content": "a"}]}', "does not end with an answer"),
        ('{"messages": [{"from": "human", "value": "a"}]}', "message 1 has no role"),
        (
            '{"messages": [{"role": "user", "content": null},'
            ' {"role": "assistant", "content": "b"}]}',
            "message 1 has no text",
        ),
        (
            '{"messages": [{"role": "user", "content": "a"},'
            ' {"role": "assistant", "content": " "}]}',
            "its answer is empty",
        ),
        ("{nothing", "line 2"),
        ("[]", "line 2"),
    ],
)
def test_a_row_of_another_schema_is_refused_with_its_line(
    config: Callable[..., SftConfig], rows: Path, line: str, reason: str
) -> None:
    first = rows.read_text().splitlines()[0]
    rows.write_text(f"{first}\n{line}\n", encoding="utf-8")
    said = _refusal(config())
    assert reason in said and "line 2" in said


def test_an_empty_or_missing_file_is_refused(
    config: Callable[..., SftConfig], rows: Path, tmp_path: Path
) -> None:
    assert "no file" in _refusal(config(train=tmp_path / "none.jsonl"))
    rows.write_text("")
    assert "no row" in _refusal(config())


def test_a_folder_of_another_run_is_refused(
    config: Callable[..., SftConfig], tmp_path: Path
) -> None:
    run(config(max_steps=1), lambda line: None)
    assert "another learning_rate" in _refusal(config(max_steps=1, learning_rate=5e-4))
    _write(config().train, _rows()[:20])
    assert "another rows" in _refusal(config(max_steps=1))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    assert "holds other files" in _refusal(config(output=tmp_path / "full"))


def test_a_batch_that_cannot_be_made_is_refused(config: Callable[..., SftConfig]) -> None:
    assert "multiple of 3" in _refusal(config(batch=4, rows_per_device=3))


def test_a_full_disk_is_one_sentence_and_the_run_goes_on_later(
    config: Callable[..., SftConfig], tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("this user cannot mount a small disk")
    made = config(output=small / "run", max_steps=6)
    try:
        assert "is full" in _refusal(made)
        subprocess.run(["mount", "-o", "remount,size=100m", str(small)], check=True)
        assert run(made, lambda line: None).is_dir()
    finally:
        subprocess.run(["umount", str(small)], check=True)


# Configurations


def test_the_shipped_configuration_is_the_papers() -> None:
    paper = read_config("paper")
    assert (paper.learning_rate, paper.schedule, paper.batch) == (2e-5, "cosine", 256)
    assert (paper.max_tokens, paper.epochs, paper.precision) == (2048, 1, "bf16")


def test_accelerate_reads_the_shipped_file_for_many_gpus() -> None:
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    file = CONFIGS / "sft_fsdp.yaml"
    parser = launch_command_parser()
    given = parser.parse_args(["--config_file", str(file), "train.py"])
    args, _, mixed_precision_from_file = _validate_launch_command(given)

    known = {action.dest for action in parser._actions}
    assert set(yaml.safe_load(file.read_text())["fsdp_config"]) <= known
    assert args.use_fsdp and mixed_precision_from_file
    assert (str(args.fsdp_version), args.fsdp_state_dict_type) == ("2", "FULL_STATE_DICT")
    assert (args.num_processes, args.mixed_precision) == (8, "bf16")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["learnin_rate=1"], "did you mean learning_rate?"),
        (["learning_rate=fast"], "learning_rate: input should be a valid number"),
        (["lora.rnk=1"], "did you mean rank?"),
        (["trainer.learning_rate=1e-4"], "trainer.learning_rate is decided by learning_rate"),
        (["trainer.max_seq_length=4096"], "did you mean max_tokens?"),
        (["trainer.packing=true"], "trainer.packing is not to be set"),
        (["trainer.evaluation_strategy=steps"], "did you mean validation?"),
        (["trainer.quantum=1"], "trainer.quantum is no setting"),
        (["batch"], "is no setting; write key=value"),
    ],
)
def test_unknown_and_legacy_keys_are_refused(settings: list[str], reason: str) -> None:
    with pytest.raises(UserError) as caught:
        read_config("paper", settings)
    assert reason in str(caught.value)


def test_a_further_setting_of_the_trainer_reaches_it(
    config: Callable[..., SftConfig], model: Path, rows: Path
) -> None:
    data = read_examples(rows, load_tokenizer(str(model)), 2048, "drop")
    made = config(trainer={"max_grad_norm": 0.25, "weight_decay": 0.1})
    arguments = _training(made, data).trainer.args
    assert (arguments.max_grad_norm, arguments.weight_decay) == (0.25, 0.1)


def test_a_setting_that_the_trainer_refuses_leaves_no_run_behind(
    config: Callable[..., SftConfig],
) -> None:
    assert "refuses these settings" in _refusal(config(schedule="zigzag"))
    assert run(config(max_steps=1), lambda line: None).is_dir()
