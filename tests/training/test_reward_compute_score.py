"""`compute_score` end to end: a row, a generator behind a port, the real judge, the trace."""

from __future__ import annotations

import asyncio
import errno
import inspect
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ctrl_harness.errors import JudgeError, UserError
from ctrl_harness.training.faults import RunStopped
from ctrl_harness.training.frozen_generator import GeneratorError
from ctrl_harness.training.reward import KEYS, close_rewards, compute_score
from ctrl_harness.training.reward_judge import RewardJudge
from ctrl_harness.training.reward_settings import RewardSettings
from ctrl_harness.training.trace import STOP_FILE, TraceError, TraceReader, TraceWriter
from ctrl_harness.training.trace_summary import summarise
from ctrl_harness.verification.verdict import Verdict

BATTERY = Path(__file__).parents[1] / "battery/programs"
RIGHT = "```python\nprint(sum(map(int, input().split())))\n```"
WRONG = "```python\nprint(0)\n```"
GOOD = "It reads nothing.\n\nOverall judgment: Incorrect"


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    asyncio.run(close_rewards())


async def reward_of(row: dict[str, Any], critique: str, **settings: Any) -> dict[str, float]:
    return await compute_score(
        data_source=row["data_source"],
        solution_str=critique,
        ground_truth=row["reward_model"]["ground_truth"],
        extra_info=row["extra_info"],
        **{"generator_first_pause_s": 0.001, "judge_jobs": 1, **settings},
    )


def run(row: dict[str, Any], *critiques: str, **settings: Any) -> list[dict[str, float]]:
    """The rewards of critiques of one draft, all at once, on an event loop of their own."""

    async def main() -> list[dict[str, float]]:
        return await asyncio.gather(*(reward_of(row, text, **settings) for text in critiques))

    return asyncio.run(main())


def records(trace: Path) -> list[dict[str, Any]]:
    return list(TraceReader(trace))


Serve = Callable[..., Any]
MakeRow = Callable[..., dict[str, Any]]


def test_it_is_a_plain_coroutine_function_with_verls_parameters() -> None:
    assert inspect.iscoroutinefunction(compute_score)
    assert list(inspect.signature(compute_score).parameters) == [
        "data_source", "solution_str", "ground_truth", "extra_info", "reward_router_address",
        "reward_model_tokenizer", "reward_kwargs",
    ]  # fmt: skip


def test_a_revision_that_passes_earns_one_and_the_trace_says_why(
    serve_generator: Serve, make_row: MakeRow, tmp_path: Path
) -> None:
    server = serve_generator(lambda messages: RIGHT)
    (found,) = run(make_row(), GOOD, generator_url=server.url, trace=str(tmp_path), all_cases=True)
    assert tuple(found) == KEYS
    assert found == {
        **dict.fromkeys(KEYS, 0.0), "score": 1.0, "acc": 1.0, "revised_passed": 1.0,
        "revised_fraction": 1.0, "delta_up": 1.0, "said_incorrect": 1.0, "verdict_right": 1.0,
    }  # fmt: skip
    question, draft, critique = server.requests[0]["messages"]
    assert "Add two numbers." in question["content"]
    assert draft == {"role": "assistant", "content": "```python\nprint(3)\n```"}
    assert "It reads nothing." in critique["content"]
    (record,) = records(tmp_path)
    assert record["step"] == 3
    assert (record["task_id"], record["index"], record["split"]) == ("add", 0, "train")
    assert record["asked"] and record["revised"] and record["judged"]
    assert record["fault"] is None
    assert record["critique"] == GOOD
    (revision,) = record["revisions"]
    assert revision["status"] == "accepted"
    assert len(revision["digest"]) == 64
    assert revision["text"] == RIGHT


@pytest.mark.parametrize(
    ("settings", "fraction", "n_passed"),
    [
        ({}, math.nan, 0),
        ({"all_cases": True}, 0.5, 1),
        ({"reward": "fraction"}, 0.5, 1),
        ({"reward": "delta", "reward_options": {"share": True}}, 0.5, 1),
    ],
)
def test_all_cases_are_judged_where_the_share_that_passes_counts(
    settings: dict[str, Any], fraction: float, n_passed: int, serve_generator: Serve,
    make_row: MakeRow, tmp_path: Path
) -> None:  # fmt: skip
    second = "```python\nprint(11)\n```"
    url = serve_generator(lambda messages: second).url
    (found,) = run(make_row(), GOOD, generator_url=url, trace=str(tmp_path), **settings)
    assert found["revised_fraction"] == pytest.approx(fraction, nan_ok=True)
    assert found["revised_passed"] == 0.0
    (revision,) = records(tmp_path)[0]["revisions"]
    assert (revision["status"], revision["n_passed"]) == ("wrong_answer", n_passed)


@pytest.mark.parametrize("name", ["mem_socket_buffers", "mem_in_flight", "fs_numbered_maze"])
def test_a_revision_that_uses_up_its_cell_has_failed_and_the_next_is_judged(
    name: str, serve_generator: Serve, make_row: MakeRow, tmp_path: Path
) -> None:
    hostile = f"```python\n{(BATTERY / f'{name}.py').read_text()}\n```"
    answers = iter((hostile, RIGHT))
    url = serve_generator(lambda messages: next(answers)).url
    said = f"It reads nothing.\n\n{hostile}\n\nOverall judgment: Incorrect"
    (failed,) = run(make_row(), said, generator_url=url, trace=str(tmp_path))
    (found,) = run(make_row(), GOOD, generator_url=url, trace=str(tmp_path))
    assert (failed["score"], found["score"]) == (0.0, 1.0)
    assert [record["fault"] for record in records(tmp_path)] == [None, None]


def test_a_wrong_revision_of_a_right_draft_is_a_loss(
    serve_generator: Serve, make_row: MakeRow
) -> None:
    server = serve_generator(lambda messages: WRONG)
    (found,) = run(make_row(right=True), GOOD, generator_url=server.url, reward="delta")
    assert (found["score"], found["delta_down"], found["verdict_right"]) == (-1.0, 1.0, 0.0)
    (silent,) = run(make_row(right=True), GOOD, generator_url=server.url, trace=None)
    assert silent["score"] == 0.0


@pytest.mark.parametrize(
    ("critique", "why"),
    [
        ("", "empty"),
        ("It is fine.", "no_verdict"),
        ("Overall judgment: Correct/Incorrect", "no_verdict"),
        ("x" * 100_000 + "\n\nOverall judgment: Incorrect", "too_long"),
        ("<think>hm, Overall judgment: Correct", "empty"),
        ("It reads nothing.\n\nOverall judg", "no_verdict"),
    ],
)
@pytest.mark.parametrize("reward", ["refine", "mixed", "discrimination", "delta"])
def test_a_malformed_critique_is_a_failed_revision_and_costs_no_generation(
    critique: str, why: str, reward: str, serve_generator: Serve, make_row: MakeRow, tmp_path: Path
) -> None:
    server = serve_generator(lambda messages: RIGHT)
    (found,) = run(
        make_row(), critique, generator_url=server.url, reward=reward, trace=str(tmp_path)
    )
    assert tuple(found) == KEYS
    assert (found["score"], found["malformed"], found["said_incorrect"]) == (0.0, 1.0, 0.0)
    assert server.requests == []
    (record,) = records(tmp_path)
    assert (record["malformed"], record["asked"], record["judgement"]) == (why, False, "missing")


def test_a_critique_as_long_as_its_limit_is_cut_off_whatever_it_says(
    serve_generator: Serve, make_row: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Words:
        def encode(self, text: str, add_special_tokens: bool) -> list[str]:
            assert not add_special_tokens
            return text.split()

    monkeypatch.setattr(
        "ctrl_harness.training.critique_reward._tokenizer", lambda name: Words()
    )
    server = serve_generator(lambda messages: RIGHT)
    whole, cut = (
        run(make_row(), GOOD, generator_url=server.url, tokenizer="a", max_critique_tokens=n)[0]
        for n in (7, 6)
    )
    assert len(GOOD.split()) == 6
    assert (whole["score"], whole["cut_off"]) == (1.0, 0.0)
    assert (cut["score"], cut["cut_off"], cut["malformed"]) == (0.0, 1.0, 1.0)


LEAKY = f"Do this:\n\n{RIGHT}\n\nIt reads nothing.\n\nOverall judgment: Incorrect"


@pytest.mark.parametrize(
    ("leak", "score", "asked"), [("report", 1.0, True), ("strip", 1.0, True), ("zero", 0.0, False)]
)
def test_a_critique_that_hands_over_the_program(
    leak: str, score: float, asked: bool, serve_generator: Serve, make_row: MakeRow
) -> None:
    server = serve_generator(lambda messages: RIGHT)
    (found,) = run(make_row(), LEAKY, generator_url=server.url, leak=leak)
    assert (found["score"], found["leaks_program"], found["leaks_solution"]) == (score, 1.0, 1.0)
    assert bool(server.requests) == asked
    if asked:
        told = server.requests[0]["messages"][-1]["content"]
        assert ("input().split()" in told) == (leak == "report")
        assert "It reads nothing." in told


@pytest.mark.parametrize("leak", ["report", "zero"])
def test_a_leak_check_that_fails_costs_no_sample_and_is_no_number(
    leak: str, serve_generator: Serve, make_row: MakeRow, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    verify = RewardJudge.verify

    async def failing(self: RewardJudge, *args: Any, bare: bool = False) -> Verdict:
        if bare:  # as a program that stands in a critique is
            raise JudgeError("the cell died")
        return await verify(self, *args, bare=bare)

    monkeypatch.setattr(RewardJudge, "verify", failing)
    server = serve_generator(lambda messages: RIGHT)
    (found,) = run(make_row(), LEAKY, generator_url=server.url, leak=leak, trace=str(tmp_path))
    assert (found["score"], found["leaks_program"]) == (1.0 if leak == "report" else 0.0, 1.0)
    assert math.isnan(found["leaks_solution"])
    (record,) = records(tmp_path)
    assert (record["leak"], record["fault"]) == ("unjudged", None)
    assert "a critique of add holds a program on which the judge failed" in caplog.text
    assert "the cell died" in caplog.text
    (step,) = summarise([record])
    assert (step.leaks, step.leak_checks_failed) == (1.0, 1)
    assert math.isnan(step.leaked_solutions)


def refusing(generators: Any, room: int) -> Callable[[list[dict[str, str]]], Any]:
    """A generator whose context has room for so many characters."""

    def say(messages: list[dict[str, str]]) -> Any:
        if sum(len(message["content"]) for message in messages) <= room:
            return RIGHT
        error = {"code": 400, "message": "This model's maximum context length is 512 tokens."}
        return generators.Raw(400, json.dumps({"error": error}).encode())

    return say


@pytest.mark.parametrize("reward", ["refine", "mixed", "delta"])
def test_a_critique_without_room_in_the_generator_s_context_is_a_failed_revision(
    reward: str, generators: Any, serve_generator: Serve, make_row: MakeRow, tmp_path: Path
) -> None:
    server = serve_generator(refusing(generators, 3_000))
    long = "Mend the sum. " * 500 + "\n\nOverall judgment: Incorrect"
    for critique, requests in ((long, 2), (long, 3), (GOOD, 4)):
        (found,) = run(
            make_row(), critique, generator_url=server.url, reward=reward, trace=str(tmp_path)
        )
        # the first time it is asked whether an empty critique would fit
        assert len(server.requests) == requests
    assert found["revised_passed"] == 1.0
    *lost, read = records(tmp_path)
    assert [record["malformed"] for record in lost] == ["context_overflow"] * 2
    assert [record["fault"] for record in lost] == [None, None]
    assert [(one["score"], one["judgement"]) for one in lost] == [(0.0, "incorrect")] * 2
    assert (read["malformed"], read["revisions"][0]["status"]) == (None, "accepted")
    (step,) = summarise([*lost, read])
    assert step.context_overflow == pytest.approx(2 / 3)


def test_a_draft_without_room_is_a_fault_of_the_generator_and_no_reward(
    generators: Any, serve_generator: Serve, make_row: MakeRow, tmp_path: Path
) -> None:
    server = serve_generator(refusing(generators, 10))
    with pytest.raises(GeneratorError, match="no room for add and its draft, whatever the crit"):
        run(make_row(), GOOD, generator_url=server.url, trace=str(tmp_path))
    (record,) = records(tmp_path)
    assert (record["score"], record["fault"]["kind"]) == (None, "generator")


def test_discrimination_asks_for_no_revision(make_row: MakeRow, tmp_path: Path) -> None:
    right, wrong = run(
        make_row(), GOOD, "Fine.\n\nOverall judgment: Correct", reward="discrimination",
        trace=str(tmp_path),
    )  # fmt: skip
    assert (right["score"], right["acc"], wrong["score"], wrong["acc"]) == (1.0, 1.0, 0.0, 0.0)
    assert math.isnan(right["revised_passed"]) and math.isnan(right["delta_up"])
    assert not any(record["asked"] for record in records(tmp_path))


def test_several_sampled_revisions_are_worth_their_mean(
    serve_generator: Serve, make_row: MakeRow
) -> None:
    answers = iter([RIGHT, WRONG, RIGHT, "no program"])
    server = serve_generator(lambda messages: next(answers))
    (found,) = run(
        make_row(), GOOD, generator_url=server.url, reward="utility", revisions=4,
        generator_temperature=0.7,
    )  # fmt: skip
    # the draft passes 1 of 2 cases: better, worse, better, worse
    assert (found["score"], found["revised_passed"]) == (0.5, 0.5)
    assert [request["seed"] for request in server.requests] == [0, 1, 2, 3]


def test_verls_reward_router_is_asked_where_no_url_is_given(
    serve_generator: Serve, make_row: MakeRow
) -> None:
    server = serve_generator(lambda messages: RIGHT)
    address = server.url.removeprefix("http://").removesuffix("/v1")
    (found,) = run(make_row(), GOOD, reward_router_address=address, reward_model_tokenizer=None)
    assert found["score"] == 1.0
    with pytest.raises(UserError, match="no generator to ask"):
        run(make_row(), GOOD)


def test_equal_revisions_are_judged_once_and_keep_their_own_digests(
    serve_generator: Serve, make_row: MakeRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctrl_harness.verification.judge import Judge

    judged = []
    verify = Judge.verify

    async def counted(self: Judge, problem: Any, program: str | None, **kind: Any) -> Any:
        judged.append(program)
        return await verify(self, problem, program, **kind)

    monkeypatch.setattr(Judge, "verify", counted)
    names = iter("abc")

    def say(messages: Any) -> str:
        name = next(names)
        return f"```python\n{name} = map(int, input().split())\nprint(sum({name}))\n```"

    server = serve_generator(say)
    cache = str(tmp_path / "verdicts.db")
    for _ in range(2):
        run(make_row(), GOOD, generator_url=server.url, trace=str(tmp_path / "t"),
            verdict_cache=cache)  # fmt: skip
    asyncio.run(close_rewards())  # another process, so to speak: only the file is left
    run(make_row(), GOOD, generator_url=server.url, trace=str(tmp_path / "t"), verdict_cache=cache)
    assert len(judged) == 1
    digests = [record["revisions"][0]["digest"] for record in records(tmp_path / "t")]
    assert len(set(digests)) == 3


# -- faults


def test_a_generator_that_fails_three_in_ten_attempts_changes_no_reward(
    serve_generator: Serve, make_row: MakeRow, tmp_path: Path
) -> None:
    """At least 12 attempts, a fixed seed of faults: only the count of retries differs."""

    def say(messages: list[dict[str, str]]) -> str:
        return RIGHT if "(even)" in messages[-1]["content"] else WRONG

    critiques = [f"{'(even) ' if n % 2 == 0 else ''}{n}. {GOOD}" for n in range(60)]
    found = []
    for name, fail in (("steady", 0.0), ("failing", 0.3)):
        server = serve_generator(say, fail=fail, seed=2502)
        rewards = run(make_row(), *critiques, generator_url=server.url, generator_attempts=12,
                      trace=str(tmp_path / name))  # fmt: skip
        found.append(rewards)
    assert server.failures > 10
    steady, failing = found
    assert sum(reward["generator_retries"] for reward in failing) == server.failures
    without = [
        [{k: v for k, v in reward.items() if k != "generator_retries"} for reward in rewards]
        for rewards in found
    ]
    assert without[0] == without[1]
    assert [reward["score"] for reward in steady] == [1.0, 0.0] * 30
    assert not any(record["fault"] for record in records(tmp_path / "failing"))


def test_a_generator_that_is_down_is_an_error_and_stands_in_the_trace(
    make_row: MakeRow, tmp_path: Path
) -> None:
    with pytest.raises(GeneratorError, match="asked 2 times in vain"):
        run(make_row(), GOOD, generator_url="http://127.0.0.1:9", generator_model="m",
            generator_attempts=2, trace=str(tmp_path))  # fmt: skip
    (record,) = records(tmp_path)
    assert record["score"] is None
    assert (record["asked"], record["revised"], record["retries"]) == (True, False, 1)
    assert record["fault"]["kind"] == "generator"


def test_a_judge_that_is_down_is_an_error_and_not_a_score(
    serve_generator: Serve, make_row: MakeRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctrl_harness.execution.fusion_http._ATTEMPTS", 1)
    server = serve_generator(lambda messages: RIGHT)
    with pytest.raises(JudgeError, match="could not be asked"):
        run(make_row(), GOOD, generator_url=server.url, judge_url="http://127.0.0.1:9",
            judge_attempts=1, trace=str(tmp_path))  # fmt: skip
    (record,) = records(tmp_path)
    assert record["fault"]["kind"] == "judge"
    assert (record["revised"], record["judged"]) == (True, False)


def test_a_judge_that_takes_too_long_is_an_error(
    serve_generator: Serve, make_row: MakeRow
) -> None:
    server = serve_generator(lambda messages: "```python\nwhile True: pass\n```")
    with pytest.raises(JudgeError, match=r"longer than judge_timeout_s=0\.3, 1 times"):
        run(make_row(), GOOD, generator_url=server.url, judge_timeout_s=0.3, judge_attempts=1)


def test_a_slow_program_is_a_failed_revision_and_no_fault(
    serve_generator: Serve, make_row: MakeRow
) -> None:
    server = serve_generator(lambda messages: "```python\nwhile True: pass\n```")
    (found,) = run(make_row(time_limit="0.3"), GOOD, generator_url=server.url)
    assert (found["score"], found["malformed"]) == (0.0, 0.0)


def test_a_row_of_another_schema_is_a_fault_with_one_sentence(tmp_path: Path) -> None:
    row = {"data_source": "x", "reward_model": {"ground_truth": "1"}, "extra_info": {"index": 0}}
    with pytest.raises(UserError, match="ctrl-harness synthesize"):
        run(row, GOOD, generator_url="http://127.0.0.1:9", trace=str(tmp_path))
    (record,) = records(tmp_path)
    assert record["fault"]["kind"] == "input"
    assert record["step"] is None


def test_too_many_faults_stop_the_run_for_every_worker(
    serve_generator: Serve, make_row: MakeRow, tmp_path: Path
) -> None:
    row = make_row()
    down = {"generator_url": "http://127.0.0.1:9", "generator_model": "m", "generator_attempts": 1,
            "trace": str(tmp_path), "max_fault_share": 0.5}  # fmt: skip

    async def main() -> list[BaseException]:
        ends: list[BaseException] = []
        for _ in range(22):
            with pytest.raises(JudgeError) as caught:
                await reward_of(row, GOOD, **down)
            ends.append(caught.value)
        return ends

    # a worker that has begun before the others stop, with a generator of its own that works
    server = serve_generator(lambda messages: RIGHT)
    healthy = {"generator_url": server.url, "trace": str(tmp_path)}
    run(row, GOOD, **healthy)
    ends = asyncio.run(main())
    assert [isinstance(end, RunStopped) for end in ends] == [False] * 19 + [True] * 3
    message = str(ends[-1])
    assert "20 of the last 20 critiques could not be rewarded" in message
    assert "max_fault_share" in message and "127.0.0.1:9" in message and str(tmp_path) in message
    assert (tmp_path / STOP_FILE).read_text().strip() == message
    with pytest.raises(RunStopped, match="20 of the last 20"):
        run(row, GOOD, **healthy)
    # whoever begins afterwards has mended it
    asyncio.run(close_rewards())
    assert run(row, GOOD, **healthy)[0]["score"] == 1.0


def test_a_full_disk_loses_rewards_and_stops_the_run(
    serve_generator: Serve, make_row: MakeRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve_generator(lambda messages: RIGHT)
    settings = {"generator_url": server.url, "trace": str(tmp_path), "max_fault_share": 0.5}
    run(make_row(), GOOD, **settings)

    def full(self: TraceWriter, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TraceWriter, "_write_all", full)

    async def main() -> list[Any]:
        calls = (reward_of(make_row(), GOOD, **settings) for _ in range(25))
        return await asyncio.gather(*calls, return_exceptions=True)

    ends = asyncio.run(main())
    assert {type(end) for end in ends} == {TraceError, RunStopped}
    assert "No space left on device" in (tmp_path / STOP_FILE).read_text()


def test_a_few_faults_stop_nothing(
    make_row: MakeRow, generators: Any, serve_generator: Serve
) -> None:
    answers = iter([generators.Raw(400)] * 5 + [RIGHT] * 40)
    server = serve_generator(lambda messages: next(answers))

    async def main() -> list[Any]:
        calls = (reward_of(make_row(), GOOD, generator_url=server.url) for _ in range(45))
        return await asyncio.gather(*calls, return_exceptions=True)

    ends = asyncio.run(main())
    assert sum(isinstance(end, GeneratorError) for end in ends) == 5
    assert sum(isinstance(end, dict) for end in ends) == 40


# -- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rewards": "refine"}, "no setting 'rewards'; it has reward, "),
        ({"reward": "refined"}, "unknown reward 'refined'"),
        ({"leak": "drop"}, "leak is 'drop'; choose one of report, strip, zero"),
        ({"revisions": 0}, "revisions is 0; give at least 1"),
        ({"revisions": 2}, "are all the same; set generator_temperature"),
        ({"revisions": "2"}, "revisions is '2'; give a whole number"),
        ({"trace": 3}, "trace is 3; give text"),
        ({"packages": "pandas"}, "packages is 'pandas'; give a list of names"),
        ({"packages": ["a"], "judge_url": "http://x"}, "packages is for judging here"),
        ({"all_cases": 1}, "all_cases is 1; give true or false"),
        ({"max_critique_tokens": 768}, "go together"),
        ({"judge_url": "http://h", "unsafe_no_isolation": True}, "take it or judge_url out"),
        ({"max_fault_share": 1.5, "generator_url": "http://h"}, "a share from 0 to 1"),
        ({"generator_url": "h:1"}, "give one like http://host:8000/v1"),
        ({"judge_url": "h:1", "generator_url": "http://h"}, "give one like http://host:8080"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_one_sentence(
    settings: dict[str, Any], message: str, make_row: MakeRow
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        run(make_row(), GOOD, **{"judge_jobs": None, **settings})
    assert "\n" not in str(caught.value)


def test_hydras_containers_are_settings_too(serve_generator: Serve, make_row: MakeRow) -> None:
    omegaconf = pytest.importorskip("omegaconf")
    given = omegaconf.OmegaConf.create(
        {"reward": "mixed", "reward_options": {"weight": 0.5}, "generator_body": {"stop": ["#"]}}
    )
    server = serve_generator(lambda messages: RIGHT)
    (found,) = run(make_row(), GOOD, generator_url=server.url, **given)
    assert found["score"] == 1.5
    assert server.requests[0]["stop"] == ["#"]


def test_settings_are_documented(root: Path) -> None:
    from dataclasses import fields

    page = (root / "docs" / "reward.md").read_text(encoding="utf-8")
    for one in fields(RewardSettings):
        assert f"`{one.name}`" in page, one.name
    for key in KEYS:
        assert f"`{key}`" in page, key
    assert json.dumps(page)
