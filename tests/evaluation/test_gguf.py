"""The gguf/ provider over real llama.cpp, with a random model that is written on the spot."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    ContentImage,
    ContentText,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.tool import ToolInfo

from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.gguf import GgufAPI, gguf
from ctrl_harness.evaluation.llama import Engine, EngineError, default_threads

assert gguf, "importing it registers the provider"

pytestmark = pytest.mark.usefixtures("own_cache")

ENDLESS = GenerateConfig(max_tokens=30_000, extra_body={"ignore_eos": True})
"""Half a minute and more, unless it is cancelled."""

HELLO = len("user:hello;assistant:")
END_TOKEN = 2


@pytest.fixture
def open_tiny(tiny_gguf: Path) -> Iterator[Callable[..., Model]]:
    """Opens the tiny model with the given -M arguments; all are closed after the test."""
    models: list[Model] = []

    def open_model(**arguments: Any) -> Model:
        arguments = {"n_ctx": 2048, "threads": 1, **arguments}
        models.append(get_model(f"gguf/{tiny_gguf}", memoize=False, **arguments))
        return models[-1]

    yield open_model
    for model in models:
        model.api.close()


def ask(model: Model, text: str = "hello", **config: Any) -> ModelOutput:
    return asyncio.run(model.generate(text, config=GenerateConfig(**config)))


async def engine_of(model: Model) -> Engine:
    assert isinstance(model.api, GgufAPI)
    return await model.api._held_engine()


async def busy_slots(model: Model) -> int:
    engine = await engine_of(model)

    def from_another_loop() -> int:
        # this loop's client may have no connection left for a question
        return sum(slot["is_processing"] for slot in asyncio.run(engine.slots()))

    return await asyncio.to_thread(from_another_loop)


# --- what an answer says of itself


def test_an_answer_cut_at_max_tokens_says_so_and_counts_its_tokens(
    open_tiny: Callable[..., Model],
) -> None:
    output = ask(open_tiny(), max_tokens=16, seed=1)
    assert output.stop_reason == "max_tokens"
    assert len(output.completion) == 16  # a token a letter
    assert output.usage is not None
    assert output.usage.input_tokens == HELLO
    assert output.usage.output_tokens == 16
    assert output.usage.total_tokens == HELLO + 16
    assert output.time is not None and output.time > 0


def test_the_models_own_chat_template_renders_every_message(
    open_tiny: Callable[..., Model],
) -> None:
    asked = [ChatMessageSystem(content="reply"), ChatMessageUser(content="hello")]
    messages: list[ChatMessage] = [*asked]
    output = asyncio.run(open_tiny().generate(messages, config=GenerateConfig(max_tokens=1)))
    assert output.usage is not None
    assert output.usage.input_tokens == len("system:reply;user:hello;assistant:")


def test_an_answer_that_the_model_ends_stops(open_tiny: Callable[..., Model]) -> None:
    output = ask(open_tiny(), max_tokens=50, logit_bias={END_TOKEN: 100})
    assert output.stop_reason == "stop"
    assert output.completion == ""


def test_a_stop_sequence_ends_the_answer_and_is_not_part_of_it(
    open_tiny: Callable[..., Model],
) -> None:
    model = open_tiny()
    whole = ask(model, max_tokens=60, temperature=0).completion
    stop = whole[20:23]
    output = ask(model, max_tokens=60, temperature=0, stop_seqs=["never in it", stop])
    assert output.stop_reason == "stop"
    assert output.completion == whole[: whole.index(stop)]


def test_a_prompt_longer_than_the_context_is_model_length_and_names_the_argument(
    open_tiny: Callable[..., Model],
) -> None:
    output = ask(open_tiny(n_ctx=512), "a" * 600, max_tokens=5)
    assert output.stop_reason == "model_length"
    assert "-M n_ctx" in output.completion
    assert output.usage is not None and output.usage.input_tokens > 600


def test_an_answer_that_runs_into_the_end_of_the_context_is_model_length(
    open_tiny: Callable[..., Model],
) -> None:
    model = open_tiny(n_ctx=512)
    room = 512 - HELLO
    endless = {"ignore_eos": True}
    assert ask(model, max_tokens=room, extra_body=endless).stop_reason == "max_tokens"
    assert ask(model, max_tokens=room + 1, extra_body=endless).stop_reason == "model_length"


def test_choices_and_logprobs_come_as_asked(open_tiny: Callable[..., Model]) -> None:
    output = ask(open_tiny(), max_tokens=4, seed=1, num_choices=2, logprobs=True, top_logprobs=3)
    assert len(output.choices) == 2
    assert output.choices[0].message.text != output.choices[1].message.text
    logprobs = output.choices[0].logprobs
    assert logprobs is not None and len(logprobs.content) == 4
    assert all(len(token.top_logprobs or []) == 3 for token in logprobs.content)


def test_text_is_counted_by_the_models_own_tokenizer(open_tiny: Callable[..., Model]) -> None:
    assert asyncio.run(open_tiny().api.count_text_tokens("abc")) == 3


# --- sampling


def test_a_seed_gives_the_same_answer_again_and_another_seed_another(
    open_tiny: Callable[..., Model],
) -> None:
    model = open_tiny()
    first = [ask(model, max_tokens=60, seed=seed).completion for seed in (1, 2, 2**40)]
    again = [ask(model, max_tokens=60, seed=seed).completion for seed in (1, 2, 2**40)]
    assert first == again
    assert len(set(first)) == 3


def test_no_seed_gives_another_answer_each_time(open_tiny: Callable[..., Model]) -> None:
    model = open_tiny()
    assert len({ask(model, max_tokens=60).completion for _ in range(3)}) == 3


def test_what_is_left_open_changes_nothing(open_tiny: Callable[..., Model]) -> None:
    model = open_tiny()
    said = ask(model, max_tokens=60, seed=3, temperature=1.0, top_p=1.0, top_k=0,
               frequency_penalty=0.0, presence_penalty=0.0)
    assert ask(model, max_tokens=60, seed=3).completion == said.completion


@pytest.mark.parametrize("narrow", [{"temperature": 0}, {"top_k": 1}, {"top_p": 1e-6}])
def test_temperature_top_k_and_top_p_can_each_leave_only_the_likeliest_token(
    open_tiny: Callable[..., Model], narrow: dict[str, Any]
) -> None:
    model = open_tiny()
    greedy = ask(model, max_tokens=40, temperature=0).completion
    for seed in (1, 2):
        assert ask(model, max_tokens=40, seed=seed, **narrow).completion == greedy


@pytest.mark.parametrize(
    "penalty",
    [
        {"frequency_penalty": 2.0},
        {"presence_penalty": 2.0},
        {"extra_body": {"repetition_penalty": 3.0}},
    ],
)
def test_each_penalty_makes_the_answer_less_monotonous(
    open_tiny: Callable[..., Model], penalty: dict[str, Any]
) -> None:
    model = open_tiny()

    def commonest(text: str) -> int:
        return Counter(text).most_common(1)[0][1]

    bias = {END_TOKEN: -100}
    plain = ask(model, max_tokens=40, temperature=0, logit_bias=bias).completion
    varied = ask(model, max_tokens=40, temperature=0, logit_bias=bias, **penalty).completion
    assert len(plain) == len(varied) == 40
    assert commonest(varied) < commonest(plain)


# --- many at once


def test_requests_run_side_by_side_up_to_parallel_and_the_rest_wait_in_line(
    open_tiny: Callable[..., Model],
) -> None:
    model = open_tiny(parallel=3)

    async def main() -> None:
        config = GenerateConfig(max_tokens=1_500, extra_body={"ignore_eos": True})
        asked = [asyncio.create_task(model.generate("hello", config=config)) for _ in range(5)]
        async with asyncio.timeout(60):
            seen = 0
            while not all(task.done() for task in asked):
                seen = max(seen, await busy_slots(model))
                await asyncio.sleep(0.005)
        assert seen == 3
        answers = [task.result() for task in asked]
        assert [len(answer.completion) for answer in answers] == [1_500] * 5

    asyncio.run(main())
    assert model.api.max_connections() == 3


def test_one_model_serves_several_event_loops(open_tiny: Callable[..., Model]) -> None:
    model = open_tiny()
    answers = {ask(model, max_tokens=20, seed=1).completion for _ in range(3)}  # a loop each
    assert len(answers) == 1


def test_models_of_one_file_share_an_engine_until_the_last_lets_go(
    open_tiny: Callable[..., Model],
) -> None:
    generator, critic, other = open_tiny(), open_tiny(), open_tiny(n_ctx=1024)

    async def engines() -> list[Engine]:
        return [await engine_of(model) for model in (generator, critic, other)]

    first, second, third = asyncio.run(engines())
    assert first is second
    assert first is not third
    generator.api.close()
    assert ask(critic, max_tokens=3).stop_reason == "max_tokens"
    critic.api.close()
    with pytest.raises(EngineError, match="closed"):
        asyncio.run(first.slots())


# --- cancelling


def test_a_cancelled_request_frees_its_slot_and_the_next_one_runs(
    open_tiny: Callable[..., Model],
) -> None:
    model = open_tiny(n_ctx=32_768, parallel=1)

    async def main() -> None:
        asked = asyncio.create_task(model.generate("hello", config=ENDLESS))
        await asyncio.sleep(1.5)
        assert not asked.done()
        started = time.monotonic()
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked
        assert time.monotonic() - started < 0.5
        async with asyncio.timeout(10):
            short = ENDLESS.merge(GenerateConfig(max_tokens=5))
            output = await model.generate("hello", config=short)
        assert output.stop_reason == "max_tokens"

    asyncio.run(main())


def test_a_request_can_be_cancelled_in_the_middle_of_its_prompt(
    open_tiny: Callable[..., Model],
) -> None:
    model = open_tiny(n_ctx=32_768, parallel=2)

    async def main() -> None:
        await model.generate("hello", config=GenerateConfig(max_tokens=1))
        asked = asyncio.create_task(
            model.generate("a" * 32_000, config=GenerateConfig(max_tokens=1))
        )
        await asyncio.sleep(0.5)
        assert await busy_slots(model) == 1
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked
        await asyncio.sleep(3)  # without asking meanwhile: each answer puts off llama.cpp's check
        assert await busy_slots(model) == 0

    asyncio.run(main())


def test_a_request_cancelled_in_line_is_never_computed(open_tiny: Callable[..., Model]) -> None:
    model = open_tiny(n_ctx=32_768, parallel=1)

    async def main() -> None:
        running = asyncio.create_task(model.generate("hello", config=ENDLESS))
        await asyncio.sleep(0.5)
        waiting = asyncio.create_task(model.generate("hello", config=ENDLESS))
        await asyncio.sleep(0.2)
        for task in (waiting, running):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with asyncio.timeout(10):
            await model.generate("hello", config=GenerateConfig(max_tokens=5))

    asyncio.run(main())


def test_the_event_loop_goes_on_while_the_model_loads_and_answers(
    open_tiny: Callable[..., Model],
) -> None:
    model = open_tiny()

    async def main() -> float:
        config = GenerateConfig(max_tokens=1_500, extra_body={"ignore_eos": True})
        asked = asyncio.create_task(model.generate("hello", config=config))
        worst = 0.0
        while not asked.done():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            worst = max(worst, time.monotonic() - before)
        return worst

    assert asyncio.run(main()) < 0.4


# --- the process around it


_SCRIPT = """
import asyncio, sys
from inspect_ai.model import GenerateConfig, get_model
from ctrl_harness.evaluation.gguf import gguf

async def main():
    model = get_model("gguf/" + sys.argv[1], n_ctx=32768, parallel=1, threads=1)
    print("answer", (await model.generate("hello", config=GenerateConfig(max_tokens=3))).completion,
          flush=True)
    if sys.argv[2] == "endless":
        body = {"ignore_eos": True}
        await model.generate("hello", config=GenerateConfig(max_tokens=30000, extra_body=body))

asyncio.run(main())
"""


def _start(tiny_gguf: Path, mode: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(tiny_gguf), mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": _source_folder(), **environment},
    )


def _source_folder() -> str:
    return str(Path(sys.modules["ctrl_harness"].__path__[0]).parent)


def test_a_process_that_used_a_model_ends_cleanly_and_silently(
    open_tiny: Callable[..., Model], tiny_gguf: Path, tmp_path: Path
) -> None:
    ask(open_tiny(), max_tokens=1)  # so that the machine's check is already done
    process = _start(tiny_gguf, "once", TMPDIR=str(tmp_path))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith("answer ")
    assert err == ""
    assert list(tmp_path.iterdir()) == []


def test_an_engine_may_be_closed_as_soon_as_it_is_open(tiny_gguf: Path) -> None:
    # in a process of its own, since what goes wrong here waits for ever in native code
    script = """
import sys
from pathlib import Path
from ctrl_harness.evaluation.llama import Engine, EngineSettings

for _ in range(40):
    Engine(Path(sys.argv[1]), EngineSettings(threads=1, n_ctx=256, parallel=1)).close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tiny_gguf)],
        env={**os.environ, "PYTHONPATH": _source_folder()},
        timeout=60,
    )
    assert done.returncode == 0


@pytest.mark.slow
def test_an_interrupted_process_ends_soon_and_without_a_crash(
    open_tiny: Callable[..., Model], tiny_gguf: Path, tmp_path: Path
) -> None:
    ask(open_tiny(), max_tokens=1)
    process = _start(tiny_gguf, "endless", TMPDIR=str(tmp_path))
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode in (-signal.SIGINT, 1, 130)
    assert err == "" or err.rstrip().endswith("KeyboardInterrupt")
    assert list(tmp_path.iterdir()) == []


def test_llama_cpps_own_words_are_heard_on_request(
    open_tiny: Callable[..., Model], tiny_gguf: Path
) -> None:
    ask(open_tiny(), max_tokens=1)
    process = _start(tiny_gguf, "once", CTRL_HARNESS_GGUF_LOG="1")
    out, err = process.communicate(timeout=60)
    assert "model loaded" in err
    assert out.startswith("answer ")


def test_its_threads_are_bounded_and_yield_to_the_judge(open_tiny: Callable[..., Model]) -> None:
    cores = len(os.sched_getaffinity(0))
    assert 1 <= default_threads() <= min(cores, 8)
    assert cores < 3 or default_threads() < cores
    before = set(os.listdir("/proc/self/task"))
    ask(open_tiny(n_ctx=768), max_tokens=3)
    new = set(os.listdir("/proc/self/task")) - before
    niceness = [os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in new]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert sum(value > own for value in niceness) >= len(niceness) - 1 > 0  # but asyncio's own


# --- bad input, in one line


def refusal(model: str, **arguments: Any) -> str:
    with pytest.raises(PrerequisiteError) as caught:
        get_model(model, memoize=False, **arguments)
    message = str(caught.value.message)
    assert "\n" not in message
    return message


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    message = refusal(f"gguf/{tmp_path}/none.gguf")
    assert "there is no file" in message
    assert "qwen2.5-coder-0.5b" in message


def test_a_relative_path_works(tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_gguf.parent)
    model = get_model(f"gguf/{tiny_gguf.name}", memoize=False, n_ctx=512, threads=1)
    assert ask(model, max_tokens=2).stop_reason == "max_tokens"
    model.api.close()


def test_a_file_that_is_not_gguf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("<html>not found</html>")
    assert "is not a GGUF file" in refusal(f"gguf/{path}")
    assert "cannot be read" in refusal(f"gguf/{tmp_path}")


def test_a_damaged_file_is_refused_with_llama_cpps_reason(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(tiny_gguf.read_bytes()[:100_000])
    message = refusal(f"gguf/{path}")
    assert "cannot load" in message and "damaged" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"thread": 2}, "no argument 'thread'"),
        ({"threads": 0}, "-M threads=0"),
        ({"n_ctx": "many"}, "-M n_ctx=many"),
        ({"parallel": True}, "-M parallel=True"),
    ],
)
def test_an_unknown_or_senseless_argument_is_refused(
    tiny_gguf: Path, arguments: dict[str, Any], words: str
) -> None:
    assert words in refusal(f"gguf/{tiny_gguf}", **arguments)


def test_without_xllamacpp_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    # the brackets are escaped: Inspect prints the message as rich markup
    assert r"pip install 'ctrl-harness\[local]'" in refusal("gguf/qwen2.5-coder-0.5b")


@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "this CPU does not have"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", "died of SIGABRT"),
        ("raise ImportError('GLIBC_2.99 not found')", "GLIBC_2.99 not found"),
    ],
)
def test_a_library_that_does_not_fit_the_machine_is_found_out_in_another_process(
    tiny_gguf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    words: str,
) -> None:
    (tmp_path / "xllamacpp.py").write_text(library)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CTRL_HARNESS_CACHE", str(tmp_path / "cache"))
    assert words in refusal(f"gguf/{tiny_gguf}")


def test_a_machine_is_checked_once(
    tiny_gguf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CTRL_HARNESS_CACHE", str(tmp_path))
    for _ in range(2):
        get_model(f"gguf/{tiny_gguf}", memoize=False)
    assert capfd.readouterr().err.count("checking once") == 1


def test_tools_and_images_are_refused(open_tiny: Callable[..., Model]) -> None:
    model = open_tiny()
    tool = ToolInfo(name="search", description="searches")
    with pytest.raises(UserError, match="take no tools"):
        asyncio.run(model.generate("hello", tools=[tool]))
    picture = ChatMessageUser(
        content=[ContentText(text="see"), ContentImage(image="data:image/png;base64,AA==")]
    )
    with pytest.raises(UserError, match="read text alone; a message holds image"):
        asyncio.run(model.generate([picture]))


def test_a_request_that_llama_cpp_refuses_fails_with_its_words(
    open_tiny: Callable[..., Model],
) -> None:
    with pytest.raises(EngineError, match="min_p"):
        ask(open_tiny(), max_tokens=2, extra_body={"min_p": "much"})
