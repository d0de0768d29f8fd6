"""What is wrong before a run is said before it, in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.critique.critic import Draft
from ctrl_harness.errors import UserError
from ctrl_harness.problems import Problem, StdioCase
from ctrl_harness.training.rl_rows import DraftVerdict, Episode, arrow_schema

pytest.importorskip("verl", reason="needs the extra `training`")

from ctrl_harness.plugins.verl.tiny_model import make_tiny_model
from ctrl_harness.training import grpo
from ctrl_harness.training.estimate import estimate_run
from ctrl_harness.training.faults import RunStopped
from ctrl_harness.training.grpo import environment, write_run
from ctrl_harness.training.grpo_config import GrpoConfig, load_config
from ctrl_harness.training.grpo_preflight import (
    check_data,
    check_engine,
    check_model,
    probe_generator,
)

EPISODE = Episode(
    Problem(
        id="sum", dataset="taco", statement="Add two numbers.", cases=(StdioCase("1 2\n", "3\n"),)
    ),
    Draft("```python\nprint(1)\n```", "print(1)"),
    DraftVerdict("wrong_answer", 0, 1, "d" * 64),
)


def write_rows(file: Path, rows: list[dict[str, Any]], schema: Any = None) -> Path:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), file)
    return file


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rl.parquet", [EPISODE.to_row()] * 4, arrow_schema())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"), [EPISODE.problem.statement])


def smoke(*settings: str) -> GrpoConfig:
    return load_config("cpu_smoke", settings)


def files(train: Path, val: Path | None = None) -> list[str]:
    return [f"data.train_files={train}", f"data.val_files={val or train}"]


# -- data


def test_rows_of_ours_are_counted(rows: Path) -> None:
    assert check_data(smoke(*files(rows))) == 4
    assert check_data(smoke(f"data.train_files=[{rows},{rows}]", f"data.val_files={rows}")) == 8


def test_data_that_cannot_be_used_is_one_sentence(tmp_path: Path, rows: Path) -> None:
    (tmp_path / "text.parquet").write_text("no parquet")
    other = write_rows(tmp_path / "other.parquet", [{"question": "?", "answer": "!"}])
    theirs = {**EPISODE.to_row(), "extra_info": {"index": 1}}
    empty = write_rows(tmp_path / "empty.parquet", [], arrow_schema())
    cases = {
        tmp_path / "nowhere.parquet": "cannot be read",
        tmp_path / "text.parquet": "is no parquet file",
        other: "has no column prompt, so it is no RL data",
        write_rows(tmp_path / "theirs.parquet", [theirs] * 4): "extra_info is not that of a row",
        empty: "hold 0 rows and a step takes 2",
    }
    for file, sentence in cases.items():
        with pytest.raises(UserError, match=sentence) as error:
            check_data(smoke(*files(file)))
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"data\.val_files hold no row"):
        check_data(smoke(*files(rows, empty)))


def test_verls_dataset_reads_the_rows_in_the_tokens_of_a_served_chat(
    rows: Path, model: Path
) -> None:
    """RLHFDataset hands on the messages; the agent loop's ids are those of `chat_ids`."""
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

    from ctrl_harness.training.pretrained import chat_ids, load_tokenizer

    tokenizer = load_tokenizer(str(model))
    config = smoke(*files(rows), f"actor_rollout_ref.model.path={model}")
    dataset = RLHFDataset(str(rows), tokenizer, config.verl.data)
    assert len(dataset) == 4  # none of them longer than data.max_prompt_length
    batch = collate_fn([dataset[at] for at in range(4)])
    asked = [message._asdict() for message in EPISODE.critic_messages()]
    assert [list(messages) for messages in batch["raw_prompt"]] == [asked] * 4
    ids = tokenizer.apply_chat_template(
        list(batch["raw_prompt"][0]), add_generation_prompt=True, tokenize=True, return_dict=False
    )
    assert ids == chat_ids(tokenizer, asked, answer=True)
    assert set(batch["data_source"]) == {"taco"}
    again = Episode.from_extra_info(batch["extra_info"][0])
    assert again.problem.digest() == EPISODE.problem.digest()
    assert again.draft == EPISODE.draft


def test_verls_dataset_leaves_out_prompts_that_are_too_long(rows: Path, model: Path) -> None:
    from verl.utils.dataset.rl_dataset import RLHFDataset

    from ctrl_harness.training.pretrained import load_tokenizer

    config = smoke(*files(rows), "data.max_prompt_length=10")
    assert len(RLHFDataset(str(rows), load_tokenizer(str(model)), config.verl.data)) == 0


# -- model and engine


def test_a_model_that_is_there_passes(model: Path) -> None:
    check_model(smoke(f"actor_rollout_ref.model.path={model}"))


def test_a_model_or_tokenizer_that_is_not_there_is_one_sentence(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    nowhere = tmp_path / "nowhere"
    with pytest.raises(UserError, match="no tokenizer can be loaded from") as error:
        check_model(smoke(f"actor_rollout_ref.model.path={nowhere}"))
    assert "\n" not in str(error.value)
    nowhere.mkdir()
    with pytest.raises(UserError, match="no model can be loaded from"):
        check_model(
            smoke(
                f"actor_rollout_ref.model.path={nowhere}",
                f"actor_rollout_ref.model.tokenizer_path={model}",
            )
        )


def test_a_rollout_engine_that_is_not_installed_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"the rollout sglang needs sglang, .*training-gpu"):
        check_engine(load_config("paper_8x8", ["actor_rollout_ref.rollout.name=sglang"]))
    check_engine(smoke())


def test_gpus_that_are_not_there_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has GPUs")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    config = load_config("one_node_1x8", ["actor_rollout_ref.rollout.name=hf"])
    with pytest.raises(UserError, match="trains on 4 GPUs and 0 are visible here"):
        check_engine(config)
    monkeypatch.setenv("RAY_ADDRESS", "auto")  # a cluster counts its own
    check_engine(config)


# -- the generator


@pytest.fixture
def server() -> Iterator[dict[str, Any]]:
    """Answers POST with the status and body that the test puts in."""
    state: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            data = json.dumps(state["body"]).encode()
            self.send_response(state["status"])
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    state["url"] = f"http://127.0.0.1:{http.server_port}/v1"
    yield state
    http.shutdown()
    http.server_close()


def test_a_generator_that_answers_passes(server: dict[str, Any]) -> None:
    server.update(status=200, body={"choices": [{"message": {"content": "Y"}}]})
    probe_generator(smoke(f"ctrl_harness.generator.url={server['url']}"))


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, {"message": "no such model"}, "refused with HTTP 404: .*no such model"),
        (500, {}, "in vain"),
        (200, {"not": "a completion"}, "no chat completion"),
    ],
)
def test_one_that_does_not_is_one_sentence(
    server: dict[str, Any], status: int, body: dict[str, Any], sentence: str
) -> None:
    server.update(status=status, body=body)
    with pytest.raises(UserError, match=sentence) as error:
        probe_generator(smoke(f"ctrl_harness.generator.url={server['url']}"))
    assert "start its server first" in str(error.value)
    assert "\n" not in str(error.value)


def test_nobody_is_asked_where_verdicts_alone_are_rewarded() -> None:
    reward = "reward.custom_reward_function.reward_kwargs.reward=discrimination"
    probe_generator(smoke(reward, "ctrl_harness.generator.url=http://127.0.0.1:1/v1"))


# -- the estimate, where the data are there


def test_tests_and_steps_are_counted_in_the_rows(rows: Path, model: Path) -> None:
    settings = [*files(rows), f"actor_rollout_ref.model.path={model}"]
    estimate = estimate_run(smoke(*settings, "trainer.total_training_steps=null"))
    assert estimate.work.revisions == 16  # 2 drafts, groups of 8
    assert estimate.work.tests == 16  # of one case each
    assert estimate.steps == 4  # 4 rows, 2 a step, 2 epochs
    assert "about 16" in str(estimate)


# -- the run that is written


def test_the_composed_configuration_is_a_file_that_verl_takes_alone(
    tmp_path: Path, rows: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omegaconf import OmegaConf

    monkeypatch.chdir(tmp_path)
    config = smoke(
        "ctrl_harness.out=runs/one",
        "data.train_files=rl.parquet",
        "data.val_files=rl.parquet",
        f"actor_rollout_ref.model.path={model}",
    )
    command = write_run(config, environment(config, {}))
    assert command[:3] == [sys.executable, "-m", "verl.trainer.main_ppo"]
    written = OmegaConf.load(tmp_path / "runs/one/grpo.yaml")
    # absolute, for workers have other working folders
    assert written.data.train_files == [str(rows)]
    assert written.trainer.default_local_dir == str(tmp_path / "runs/one/checkpoints")
    kwargs = written.reward.custom_reward_function.reward_kwargs
    assert kwargs.trace == str(tmp_path / "runs/one/trace")
    assert kwargs.generator_url == "http://127.0.0.1:8000/v1"
    # for the workers on other nodes
    variables = written.ray_kwargs.ray_init.runtime_env.env_vars
    assert "grpo_plugin" in variables.VERL_USE_EXTERNAL_MODULES
    again = load_config(str(tmp_path / "runs/one/grpo.yaml"))
    assert again.value("data.train_batch_size") == 2


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, rows: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written .* ctrl_harness\.out another folder"):
        config = smoke(*files(rows), f"ctrl_harness.out={tmp_path / 'file' / 'run'}")
        write_run(config, environment(config, {}))


def test_only_a_run_on_a_cpu_gets_the_cpu_plug_in() -> None:
    plain = environment(load_config("paper_8x8"), {"HOME": "/h"})
    plugin = "ctrl_harness.training.grpo_plugin"
    assert plain == {"HOME": "/h", "VERL_USE_EXTERNAL_MODULES": plugin}
    cpu = environment(smoke(), {})
    assert cpu["VERL_PLATFORM"] == "cpu"
    assert cpu["VERL_USE_EXTERNAL_MODULES"] == f"ctrl_harness.plugins.verl.cpu,{plugin}"


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("ctrl-harness"))
    words = [program, "train", "grpo", "--config", "paper_8x8", "--set", "data.nothing=1"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("ctrl-harness: ") and done.stderr.count("\n") == 1, done.stderr


# -- the run itself, with a stand-in for verl


def stand_in(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(grpo, "prepare", lambda config: None)
    monkeypatch.setattr(grpo, "write_run", lambda config, env: [sys.executable, "-c", program])


def test_a_trainer_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "raise SystemExit(7)")
    with pytest.raises(UserError, match=r"verl ended with code 7; .*grpo\.yaml"):
        grpo.run(smoke(f"ctrl_harness.out={tmp_path}"))


def test_a_reward_worker_that_asks_for_it_ends_the_trainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """verl would draw failed groups anew for ever."""
    trace = tmp_path / "trace"
    program = (
        "import time; from ctrl_harness.training.trace import TraceWriter; "
        f"TraceWriter({str(trace)!r}).stop('too many faults'); time.sleep(600)"
    )
    stand_in(monkeypatch, program)
    started = time.monotonic()
    with pytest.raises(RunStopped, match="too many faults"):
        grpo.run(smoke(f"ctrl_harness.out={tmp_path}"))
    assert time.monotonic() - started < 60
