"""The commands of docs/served_models.md, run as they stand there.

`vllm` is a stand-in that knows vLLM's options and serves the OpenAI protocol; the ports are free
ones of this machine; the models in the process are real ones, made on the spot.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the openai package")

from inspect_ai.log import EvalLog, read_eval_log

# as https://docs.vllm.ai/en/v0.12.0/cli/serve/ lists them: those that the page uses, or Inspect
STAND_IN = '''\
#!{python}
import argparse, json, pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser(prog="vllm")
serve = parser.add_subparsers(required=True).add_parser("serve")
serve.add_argument("model")
serve.add_argument("--host", default="0.0.0.0")
serve.add_argument("--port", type=int, default=8000)
serve.add_argument("--api-key")
serve.add_argument("--data-parallel-size", type=int, default=1)
serve.add_argument("--tensor-parallel-size", type=int, default=1)
serve.add_argument("--generation-config", default="auto")
serve.add_argument("--max-model-len", type=int)
serve.add_argument("--served-model-name")
settings = parser.parse_args()
asked = pathlib.Path({folder!r}) / f"asked_{{settings.model.replace('/', '_')}}_{{settings.port}}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        about = {{"id": settings.model, "max_model_len": settings.max_model_len or 9999}}
        self.answer(200, {{"data": [about]}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if settings.api_key not in (None, key) or body["model"] != settings.model:
            return self.answer(401, {{"error": {{"message": "wrong key or model"}}}})
        with asked.open("a") as file:
            file.write(json.dumps(body) + "\\n")
        message = {{"role": "assistant", "content": "Overall judgment: Incorrect"}}
        choice = {{"index": 0, "finish_reason": "stop", "message": message}}
        usage = {{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
        head = {{"id": "1", "object": "chat.completion", "created": 0, "model": body["model"]}}
        self.answer(200, {{**head, "choices": [choice], "usage": usage}})

    def answer(self, code, data):
        text = json.dumps(data).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", settings.port), Handler).serve_forever()
'''


def commands_of(root: Path, heading: str, page: str = "served_models") -> str:
    """The shell commands under a heading of the page."""
    page = (root / "docs" / f"{page}.md").read_text(encoding="utf-8")
    (section,) = (part for part in page.split("\n## ") if part.startswith(heading))
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return str(block)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Shell:
    """Runs a page's commands with a home and a PATH of their own; ends all that they started."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.home = folder / "home"
        (self.home / "models").mkdir(parents=True)
        programs = folder / "bin"
        programs.mkdir()
        vllm = programs / "vllm"
        vllm.write_text(STAND_IN.format(python=sys.executable, folder=str(folder)))
        vllm.chmod(0o700)
        (programs / "vllm.py").write_text('"""Inspect looks whether it is installed."""\n')
        self._path = f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}"

    def run(self, script: str) -> EvalLog:
        """The log of the one eval in the script."""
        output = self.say(script)
        (path,) = (self.folder / "logs").glob("*.eval")
        log = read_eval_log(str(path))
        assert log.status == "success", output
        return log

    def say(self, script: str) -> str:
        """What the script printed."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("INSPECT_", "VLLM_"))}
        variables = {
            "PATH": self._path + os.environ["PATH"],
            "PYTHONPATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "HOME": str(self.home),
            "CTRL_HARNESS_CACHE": os.environ.get(
                "CTRL_HARNESS_CACHE", str(Path.home() / ".cache" / "ctrl-harness")
            ),
            "INSPECT_LOG_DIR": str(self.folder / "logs"),
            "INSPECT_DISPLAY": "plain",
            "HF_HUB_OFFLINE": "1",
        }
        # a file and no pipe: the servers in the background would keep that open
        with (self.folder / "output").open("w+") as file:
            process = subprocess.Popen(
                ["bash", "-euc", script],
                cwd=self.root,
                env={**kept, **variables},
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                process.wait(timeout=300)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # the servers are of its session
            output = (self.folder / "output").read_text(errors="replace")
        assert process.returncode == 0, output
        return output

    def asked(self, model: str) -> list[dict[str, Any]]:
        """The requests to the stand-ins that serve a model."""
        files = self.folder.glob(f"asked_{model.replace('/', '_')}_*")
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def shell(root: Path, tmp_path: Path) -> Iterator[Shell]:
    yield Shell(root, tmp_path)


def with_free_ports(script: str) -> str:
    for port in ("8000", "8001"):
        script = script.replace(port, str(free_port()))
    return script


def is_about_drafts(request: dict[str, Any]) -> bool:
    return "Overall judgment" not in request["messages"][-1]["content"]


def calls(log: EvalLog, role: str) -> int:
    """How often the models of a role were asked."""
    return sum(
        event.event == "model" and event.role == role
        for sample in log.samples or []
        for event in sample.events
    )


@pytest.mark.slow
def test_generator_and_critic_are_served_by_vllm_on_two_ports(shell, root):
    log = shell.run(with_free_ports(commands_of(root, "vLLM, generator and critic")))
    assert len(log.samples) == 2
    generator = shell.asked("Qwen/Qwen2.5-Coder-7B-Instruct")
    critic = shell.asked("Qwen/Qwen2.5-Coder-32B-Instruct")
    assert (len(generator), len(critic)) == (4, 2), "a draft and a revision; a critique"
    assert not any(map(is_about_drafts, critic))


@pytest.mark.slow
def test_any_openai_compatible_server_serves_either_role(shell, root):
    log = shell.run(with_free_ports(commands_of(root, "Any OpenAI-compatible server")))
    assert len(log.samples) == 2
    assert len(shell.asked("Qwen/Qwen2.5-Coder-7B-Instruct")) == 6
    assert len(list(shell.folder.glob("asked_*"))) == 2, "each with its own address and key"


@pytest.mark.slow
def test_inspect_starts_vllm_itself(shell, root):
    log = shell.run(commands_of(root, "vLLM, started by Inspect"))
    assert len(log.samples) == 2
    assert len(shell.asked("Qwen/Qwen2.5-Coder-7B-Instruct")) == 4
    assert len(shell.asked("Qwen/Qwen2.5-Coder-3B-Instruct")) == 2


def test_lm_eval_asks_served_models_too(shell, root):
    pytest.importorskip("lm_eval", reason="needs the extra `lm-eval`")
    script = with_free_ports(commands_of(root, "Served models", "lm_eval"))
    output = shell.say(script.replace("--output_path out", f"--output_path {shell.folder}/out"))
    assert "pass_at_1_turn_1" in output
    assert len(shell.asked("Qwen/Qwen2.5-Coder-7B-Instruct")) == 4
    (first, second) = shell.asked("Qwen/Qwen2.5-Coder-3B-Instruct")
    assert not is_about_drafts(first) and not is_about_drafts(second)


def test_transformers_models_in_the_process(shell, root):
    pytest.importorskip("torch", reason="needs torch, transformers and accelerate")
    for seed, name in enumerate(("generator", "critic")):
        write_tiny_transformer(shell.home / "models" / name, seed)
    log = shell.run(commands_of(root, "In the process, by transformers"))
    assert len(log.samples) == 2
    assert calls(log, "critic") == 2


def test_the_loop_in_lm_eval_runs_on_transformers_models(shell, root):
    pytest.importorskip("torch", reason="needs torch and transformers")
    pytest.importorskip("lm_eval", reason="needs the extra `lm-eval`")
    for seed, name in enumerate(("generator", "critic")):
        write_tiny_transformer(shell.home / "models" / name, seed)

    def arguments(name: str) -> dict[str, str]:
        return {"pretrained": str(shell.home / "models" / name), "dtype": "float32"}

    trace = shell.folder / "trace.jsonl"
    model_args = {
        "generator": "hf", "generator_args": arguments("generator"), "turns": 1,
        "critic_model": "hf", "critic_model_args": arguments("critic"),
        "critique_kwargs": {"max_gen_toks": 16}, "trace": str(trace),
    }  # fmt: skip
    shell.say(
        f"ctrl-harness lm-eval run --model ctrl-critic --model_args '{json.dumps(model_args)}' "
        "--apply_chat_template --tasks ctrl_mbppplus --metadata source=samples --limit 2 "
        "--device cpu --batch_size 2 --gen_kwargs max_gen_toks=16 --confirm_run_unsafe_code"
    )
    chains = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [len(row["completions"]) for row in chains] == [2, 2]
    assert all(row["critiques"][0]["text"] for row in chains)


def write_tiny_transformer(folder: Path, seed: int) -> None:
    """A random Llama of some thousand weights, with a tokenizer of bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<end>", *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    fast.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=16384, eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


# -- two real local models as generator and critic


@pytest.fixture
def write_tiny_gguf(root: Path) -> Callable[..., Path]:
    """Writes a random GGUF model (tests/evaluation/tiny_gguf.py)."""
    pytest.importorskip("xllamacpp", reason="needs the extra `local`")
    spec = importlib.util.spec_from_file_location(
        "tiny_gguf", root / "tests" / "evaluation" / "tiny_gguf.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[..., Path] = module.write_tiny_gguf
    return made


def both_models_answered(log: EvalLog, generator: str) -> None:
    assert len(log.samples) == 2
    assert set(log.stats.model_usage) == {generator, log.eval.model_roles["critic"].model}
    assert log.stats.role_usage["critic"].output_tokens > 0
    for sample in log.samples:
        (chain,) = (v for k, v in {**sample.store, **sample.metadata}.items() if "chain" in k)
        assert len(chain["completions"]) == 2
        (critique,) = chain["critiques"]
        assert critique["text"].isalpha(), "the tiny model knows letters alone"


@pytest.mark.slow
def test_two_gguf_models_are_generator_and_critic(shell, root, write_tiny_gguf):
    """Two real models of llama.cpp in one process; the small coder's place is a tiny one's here."""
    first = write_tiny_gguf(shell.home / "models" / "generator.gguf", seed=1)
    write_tiny_gguf(shell.home / "models" / "critic.gguf", seed=2)
    script = commands_of(root, "In the process, by llama.cpp")
    script = "\n".join(script.splitlines()[1:]).replace("gguf/qwen2.5-coder-0.5b", f"gguf/{first}")
    log = shell.run(script.replace("--max-tokens 256", "--max-tokens 32"))
    both_models_answered(log, f"gguf/{first}")


@pytest.mark.slow
def test_the_small_coder_is_criticised_by_another_model(shell, root, write_tiny_gguf):
    from ctrl_harness.evaluation.named_models import MODELS
    from ctrl_harness.evaluation.weights import model_path

    if not model_path(MODELS["qwen2.5-coder-0.5b"]).exists():
        pytest.skip("run `ctrl-harness models pull qwen2.5-coder-0.5b` first")
    write_tiny_gguf(shell.home / "models" / "critic.gguf", seed=2)
    log = shell.run(commands_of(root, "In the process, by llama.cpp"))
    both_models_answered(log, "gguf/qwen2.5-coder-0.5b")
    drafts = [
        next(v for k, v in {**s.store, **s.metadata}.items() if "chain" in k)["completions"][0]
        for s in log.samples
    ]
    assert any("```" in draft for draft in drafts)


def test_every_command_of_the_page_has_its_test(root):
    page = (root / "docs" / "served_models.md").read_text(encoding="utf-8")
    tested = Path(__file__).read_text(encoding="utf-8")
    for part in page.split("\n## ")[1:]:
        heading = part.splitlines()[0]
        if "```sh" in part:
            known = re.findall(r'commands_of\(root, "([^"]+)"\)', tested)
            assert any(heading.startswith(name) for name in known), textwrap.shorten(part, 80)
