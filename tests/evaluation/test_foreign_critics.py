"""Critics of somebody else's in an eval: chosen by name, file or agent; and when they fail, their
sample says why, the others go on, the table counts it, and the exit status tells."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, read_eval_log

from ctrl_harness.critique.guard import TIMEOUT
from ctrl_harness.tasks.codecontests import codecontests
from ctrl_harness.tasks.judgebench import judgebench

FAULTY = """
    import anyio
    from ctrl_harness.critique.critic import Critique

    def make(context):
        async def criticise(problem, draft):
            fault = FAULTS.get(problem.id)
            if fault == "raises":
                raise ValueError("no weights\\nat all")
            if fault == "hangs":
                await anyio.sleep_forever()
            if fault == "nothing":
                return None
            if fault == "html":
                return "<html>Login</html>"
            if fault == "huge":
                return Critique("x" * 5_000_000, "incorrect")
            if fault == "surrogate":
                return Critique("half \\ud800", "incorrect")
            if fault == "fields":
                return Critique(text="Hm.", judgement=None)
            return Critique("It reads one line too few.", "incorrect")
        return criticise
    """


@pytest.fixture
def chains(new_script, sample_programs) -> tuple[str, list[str]]:
    """A scripted generator whose drafts are wrong and whose revisions are right, and the ids."""
    script = new_script()
    ids = []
    for programs in sample_programs("codecontests")[:8]:
        script.chain(programs.id, [programs.wrong[0], programs.right[0]])
        ids.append(programs.id)
    return script.save(), ids


def write(path: Path, source: str) -> Path:
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return path


def numbers(log: EvalLog) -> dict[str, float]:
    (score,) = log.results.scores
    return {name: metric.value for name, metric in score.metrics.items()}


def test_a_critic_out_of_a_file(tmp_path, chains, run_eval, executor):
    model, ids = chains
    path = write(tmp_path / "mine.py", "FAULTS = {}\n" + textwrap.dedent(FAULTY))
    task = codecontests(source="samples", critic=f"{path}:make", executor=executor)
    log = run_eval(task, model, sample_id=ids[:2])
    assert log.status == "success", log.error
    assert log.eval.metadata["critic"] == f"{path}:make"
    assert numbers(log)["delta_up_turn_1"] == 1
    chain = log.samples[0].metadata["ctrl_harness:chain"]
    assert chain["critiques"][0]["text"] == "It reads one line too few."


@pytest.mark.slow
def test_a_path_may_be_typed_where_one_stands(tmp_path, chains, inspect_cli, executor):
    model, ids = chains
    path = write(tmp_path / "mine.py", "FAULTS = {}\n" + textwrap.dedent(FAULTY))
    done = inspect_cli(
        "eval", "ctrl_harness/codecontests", "--model", model, "-T", "source=samples",
        "-T", "critic=./mine.py:make", "-T", f"executor={executor}", "--sample-id", ids[0],
        cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done.text
    (log,) = (tmp_path / "logs").glob("*.eval")
    found = read_eval_log(str(log))
    assert found.status == "success"
    assert found.eval.metadata["critic"] == f"{path}:make"


def test_samples_that_a_critic_spoils_say_why_and_the_others_go_on(
    tmp_path, chains, run_eval, harness_cli, executor, monkeypatch
):
    model, ids = chains
    kinds = ("raises", "hangs", "nothing", "html", "huge", "surrogate", "fields")
    faults = dict(zip(ids, kinds, strict=False))
    path = write(tmp_path / "mine.py", f"FAULTS = {faults!r}\n" + textwrap.dedent(FAULTY))
    monkeypatch.setenv(TIMEOUT, "2")
    task = codecontests(source="samples", critic=f"{path}:make", executor=executor)
    log = run_eval(task, model, sample_id=ids)
    assert log.status == "error"
    errors = {
        faults.get(sample.id): sample.error.message if sample.error else None
        for sample in log.samples
    }
    reasons = {
        "raises": "failed: ValueError: no weights at all",
        "hangs": f"gave no answer within 2 s ({TIMEOUT})",
        "nothing": "returned None, not a Critique",
        "html": "returned of type str, not a Critique",
        "surrogate": "the text is no Unicode, character 5 is half of one",
        "fields": "the judgement is None, not correct, incorrect or missing",
    }
    for kind, reason in reasons.items():
        assert reason in errors[kind], kind
    assert errors["huge"] is None  # a critique that nobody can read is malformed
    assert errors[None] is None
    (score,) = log.results.scores
    assert (log.results.completed_samples, score.scored_samples) == (2, 2)
    assert numbers(log)["outcomes"] == 2
    assert not [s for s in log.samples if s.error and s.scores]

    shown = harness_cli("table", log.location)
    assert shown.code == 1
    assert "6 of 8 samples failed and are in no number:" in shown.stdout
    for reason in reasons.values():
        assert sum(reason in line for line in shown.stdout.splitlines()) == 1, reason
    assert "| 1         |     50.0 |" in shown.stdout


def test_a_log_in_which_all_failed_says_so(tmp_path, chains, run_eval, harness_cli, executor):
    model, ids = chains
    faults = dict.fromkeys(ids, "raises")
    path = write(tmp_path / "mine.py", f"FAULTS = {faults!r}\n" + textwrap.dedent(FAULTY))
    task = codecontests(source="samples", critic=f"{path}:make", executor=executor)
    log = run_eval(task, model, sample_id=ids[:3])
    assert (log.status, log.results) == ("error", None)
    shown = harness_cli("table", log.location)
    assert shown.code == 1
    assert "3 of 3 samples failed and are in no number:" in shown.stdout
    assert "  3 × critic" in shown.stdout


@pytest.mark.slow
def test_failed_samples_alone_are_made_again(tmp_path, chains, inspect_cli, executor):
    """`inspect eval-retry`, once the critic works again."""
    model, ids = chains
    body = textwrap.dedent(FAULTY)
    path = write(tmp_path / "mine.py", f"FAULTS = {{{ids[0]!r}: 'raises'}}\n" + body)
    done = inspect_cli(
        "eval", "tasks/codecontests.py", "--model", model, "-T", "source=samples",
        "-T", f"critic={path}:make", "-T", f"executor={executor}",
        "--sample-id", ",".join(ids[:3]),
    )  # fmt: skip
    (first,) = (tmp_path / "logs").glob("*.eval")
    assert read_eval_log(str(first)).status == "error", done.text
    path.write_text("FAULTS = {}\n" + body, encoding="utf-8")
    done = inspect_cli("eval-retry", first)
    assert done.code == 0, done.text
    (second,) = set((tmp_path / "logs").glob("*.eval")) - {first}
    log = read_eval_log(str(second))
    assert (log.status, log.results.completed_samples) == ("success", 3)
    before = {s.id: s.uuid for s in read_eval_log(str(first)).samples}
    again = [s.id for s in log.samples if s.uuid != before[s.id]]
    assert again == [ids[0]]


@pytest.mark.parametrize(
    ("critic", "says"),
    [
        ("nobody", "unknown critic 'nobody'"),
        ("nowhere.py:make", "there is no file 'nowhere.py'"),
        ("recorded:nowhere.jsonl", "cannot be read"),
        ("http:ftp://host", "names no service"),
        ("ctrl_harness/no_such_agent", "unknown critic"),
    ],
)
def test_a_critic_that_is_not_there_is_a_sentence_before_anything_runs(critic, says):
    for task in (codecontests, judgebench):
        with pytest.raises(PrerequisiteError, match=says):
            task(source="samples", critic=critic)


# -- agents

AGENTS = """
    from inspect_ai.agent import Agent, AgentState, agent
    from inspect_ai.model import ChatMessageUser, get_model

    @agent
    def second_thoughts(times: int = 2) -> Agent:
        async def execute(state: AgentState) -> AgentState:
            for _ in range(times):
                state.output = await get_model().generate(state.messages)
                state.messages.append(state.output.message)
                state.messages.append(ChatMessageUser(content="Are you sure?"))
            return state
        return execute

    @agent
    def silent() -> Agent:
        async def execute(state: AgentState) -> AgentState:
            return state
        return execute

    @agent
    def demanding(depth: int) -> Agent:
        async def execute(state: AgentState) -> AgentState:
            return state
        return execute
    """


@pytest.fixture
def agents(tmp_path) -> Path:
    return write(tmp_path / "agents.py", AGENTS)


def test_an_agent_works_with_the_model_of_the_role_critic(
    agents, chains, new_script, run_eval, executor
):
    model, ids = chains
    critiques = new_script("critic.jsonl")
    critiques.line(ids[0], "critic", 1, "Overall judgment: Incorrect")
    task = codecontests(
        source="samples", critic=f"{agents}:second_thoughts", executor=executor, protocol="ctrl",
        turns=1, epochs=1,
    )  # fmt: skip
    log = run_eval(
        task, model, model_roles={"critic": critiques.save()}, sample_id=ids[:1], seed=3
    )
    assert log.status == "success", log.error
    (sample,) = log.samples
    chain = sample.metadata["ctrl_harness:chain"]
    assert chain["critiques"][0]["judgement"] == "incorrect"
    calls = [event for event in sample.events if event.event == "model"]
    assert [str(call.model).endswith("critic.jsonl") for call in calls] == [
        False, True, True, False,
    ]  # fmt: skip
    told = calls[2].input[-1].text
    assert told == "Are you sure?"
    # sampled as the protocol has critiques sampled, not as revisions
    assert {(c.config.temperature, c.config.max_tokens) for c in calls[1:3]} == {(0.7, 1024)}
    assert calls[3].config.temperature == 0
    # a seed of its own, the same for all of one critique
    assert len({call.config.seed for call in calls}) == 3
    assert calls[1].config.seed == calls[2].config.seed


def test_an_agent_without_an_answer_marks_its_sample(agents, chains, run_eval, executor):
    model, ids = chains
    task = codecontests(source="samples", critic=f"{agents}:silent", executor=executor)
    log = run_eval(task, model, sample_id=ids[:2])
    assert log.status == "error"
    for sample in log.samples:
        assert "the agent ended without an answer" in sample.error.message


def test_an_agent_that_needs_arguments_is_a_sentence(agents):
    with pytest.raises(PrerequisiteError, match="cannot be made without arguments"):
        codecontests(source="samples", critic=f"{agents}:demanding")


def test_an_agent_can_judge_pairs(agents, new_script, sample_rows, run_eval):
    script = new_script("judge.jsonl")
    rows = [row for row in sample_rows("judgebench") if row["response_model"] == "sample-gpt"]
    for row in rows:
        script.line(row["pair_id"], "critic", 1, "Surely [[A>B]]")
        script.line(row["pair_id"], "critic", 2, "Surely [[A>B]]")
    task = judgebench(source="samples", critic=f"{agents}:second_thoughts")
    log = run_eval(task, script.save())
    found = numbers(log)
    assert (found["accuracy"], found["tied"]) == (0, 1)
    assert (found["position_bias"], found["always_first"], found["inconsistent"]) == (1, 1, 1)


# -- JudgeBench

JUDGES = """
    from ctrl_harness.critique.critic import Critique, Comparison

    def longer(context):
        async def criticise(problem, draft):
            right = len(draft.completion) % 2
            return Critique("By its length.", "correct" if right else "incorrect")
        return criticise

    class Odd:
        async def __call__(self, problem, draft):
            return Critique("?", "missing")
        async def compare(self, pair):
            if pair.id == BAD:
                raise ValueError("cannot tell")
            a, b = len(pair.response_a), len(pair.response_b)
            return Comparison("A=B" if a == b else "A>B" if a > b else "B>A", "by length")

    def odd(context):
        return Odd()
    """


def test_a_critic_judges_pairs_and_a_pair_it_fails_on_is_missing(
    tmp_path, sample_rows, run_eval, harness_cli
):
    rows = [row for row in sample_rows("judgebench") if row["response_model"] == "sample-gpt"]
    bad = rows[0]["pair_id"]
    path = write(tmp_path / "judges.py", f"BAD = {bad!r}\n" + textwrap.dedent(JUDGES))
    log = run_eval(judgebench(source="samples", critic=f"{path}:odd"), "none")
    assert log.status == "error"
    by_id = {sample.id: sample for sample in log.samples}
    assert "ValueError: cannot tell" in by_id[bad].error.message
    found = numbers(log)
    lengths = [(len(r["response_A"]), len(r["response_B"]), r["label"]) for r in rows[1:]]
    right = [a > b if label == "A>B" else b > a for a, b, label in lengths]
    assert found["accuracy"] == pytest.approx(sum(right) / len(right))
    assert found["position_bias"] == 0
    assert found["tied"] == pytest.approx(sum(a == b for a, b, _ in lengths) / len(lengths))
    shown = harness_cli("table", log.location)
    assert shown.code == 1
    assert "1 of 8 samples failed and are in no number:" in shown.stdout
    assert "position_bias: 0.0 %" in shown.stdout and "tied: " in shown.stdout


def test_a_critic_votes_pointwise(tmp_path, sample_rows, run_eval):
    rows = [row for row in sample_rows("judgebench") if row["response_model"] == "sample-gpt"]
    path = write(tmp_path / "judges.py", "BAD = ''\n" + textwrap.dedent(JUDGES))
    task = judgebench(source="samples", mode="pointwise", votes=3, critic=f"{path}:longer")
    log = run_eval(task, "none")
    assert log.status == "success", log.error
    assert log.eval.metadata["critic"] == f"{path}:longer"
    a_better = {"A>B": ("response_A", "response_B"), "B>A": ("response_B", "response_A")}
    wins = [
        len(row[a_better[row["label"]][0]]) % 2 > len(row[a_better[row["label"]][1]]) % 2
        for row in rows
    ]
    assert numbers(log)["accuracy"] == pytest.approx(sum(wins) / len(wins))


def test_what_cannot_judge_pairs_is_a_sentence(tmp_path, run_eval):
    path = write(tmp_path / "judges.py", "BAD = ''\n" + textwrap.dedent(JUDGES))
    for critic in ("execution", "model+execution"):
        with pytest.raises(PrerequisiteError, match="runs tests, of which JudgeBench's pairs have"):
            judgebench(source="samples", critic=critic)
    log = run_eval(judgebench(source="samples", critic=f"{path}:longer"), "none", limit=1)
    assert "have it judge with mode=pointwise" in log.samples[0].error.message
