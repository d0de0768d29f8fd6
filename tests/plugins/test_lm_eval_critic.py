"""The LM `ctrl-critic`: any model of lm-eval's, and any generation task, in the critic's loop."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

lm_eval = pytest.importorskip("lm_eval", reason="needs the extra `lm-eval`")

from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.api.model import LM  # noqa: E402
from lm_eval.api.registry import model_registry  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

from ctrl_harness.errors import CriticError, JudgeError, UserError  # noqa: E402
from ctrl_harness.plugins.lm_eval.chain_text import ChainText, turns_of  # noqa: E402
from ctrl_harness.plugins.lm_eval.command import TASKS, register_models  # noqa: E402
from ctrl_harness.plugins.lm_eval.critic_lm import CriticLM  # noqa: E402
from ctrl_harness.plugins.lm_eval.judging import close_judges  # noqa: E402


class EchoLM(LM):
    """Answers `name#number`; keeps what it was asked."""

    made: ClassVar[dict[str, EchoLM]] = {}

    def __init__(self, name: str = "echo", says: str = "", **given: Any) -> None:
        super().__init__()
        self.name, self.says, self.given = name, says, given
        self.asked: list[list[tuple[str, dict[str, Any]]]] = []
        EchoLM.made[name] = self

    def generate_until(self, requests: Any) -> list[str]:
        self.asked.append([request.args for request in requests])
        number = sum(map(len, self.asked[:-1]))
        return [f"{self.name}#{number + n}{self.says}" for n in range(len(requests))]

    def loglikelihood(self, requests: Any) -> list[tuple[float, bool]]:
        return [(-1.0, True) for _ in requests]

    def loglikelihood_rolling(self, requests: Any) -> list[float]:
        return [-2.0 for _ in requests]

    def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
        turns = "".join(f"<{turn['role']}>{turn['content']}" for turn in chat_history)
        return turns + ("<assistant>" if add_generation_prompt else "")

    @property
    def tokenizer_name(self) -> str:
        return "echo"


@pytest.fixture(scope="module", autouse=True)
def known_models() -> Iterator[None]:
    register_models()
    if "ctrl-test-echo" not in model_registry:
        model_registry.register("ctrl-test-echo", target=EchoLM)
    yield
    close_judges()


def critic_lm(**arguments: Any) -> CriticLM:
    return CriticLM(generator="ctrl-test-echo", generator_args={"name": "G"}, **arguments)


def request(context: Any, doc: Any = None, **kwargs: Any) -> Instance:
    asked = {"until": ["\n\n"], "max_gen_toks": 64, **kwargs}
    return Instance("generate_until", doc or {}, (context, asked), 0, metadata=("sums", 3, 1))


# -- the loop around requests of any task


def test_a_request_is_drafted_criticised_and_revised():
    lm = critic_lm(critic_model="ctrl-test-echo", critic_model_args={"name": "C"}, turns=2)
    (answer,) = lm.generate_until([request("What is 1 + 1?")])
    assert answer == "G#2"
    assert turns_of(answer) == ("G#0", "G#1", "G#2")
    drafts, first, second = EchoLM.made["G"].asked
    assert drafts[0][0] == "What is 1 + 1?", "the task's own context, to the letter"
    assert first[0][0].startswith("What is 1 + 1?G#0\n\n")
    assert "C#0" in first[0][0]
    assert "C#1" in second[0][0] and "C#0" not in second[0][0]
    (critique, _) = EchoLM.made["C"].asked
    assert "What is 1 + 1?" in critique[0][0] and "G#0" in critique[0][0]
    assert "program" not in critique[0][0].lower()


def test_turns_0_is_the_model_alone():
    lm = critic_lm(turns=0)
    (answer,) = lm.generate_until([request("2 + 2 =")])
    assert answer == "G#0" and turns_of(answer) == ("G#0",)


def test_all_requests_go_to_a_model_in_one_list():
    lm = critic_lm(critic_model="ctrl-test-echo", critic_model_args={"name": "C"})
    lm.generate_until([request(f"{n} + {n} =") for n in range(5)])
    assert [len(asked) for asked in EchoLM.made["G"].asked] == [5, 5]
    assert [len(asked) for asked in EchoLM.made["C"].asked] == [5]


def test_without_a_second_model_the_generator_criticises_itself():
    lm = critic_lm()
    lm.generate_until([request("3 + 3 =")])
    assert len(EchoLM.made["G"].asked) == 3


def test_a_critique_ends_where_the_critic_ends_it():
    lm = critic_lm(critique_kwargs={"temperature": 0.7}, revision_kwargs={"max_tokens": 7})
    lm.generate_until([request("4 + 4 =", temperature=0.1)])
    (draft,), (critique,), (revision,) = EchoLM.made["G"].asked
    assert draft[1] == {"until": ["\n\n"], "max_gen_toks": 64, "temperature": 0.1}
    assert critique[1] == {"until": [], "max_gen_toks": 1024, "temperature": 0.7}
    assert revision[1] == {"until": ["\n\n"], "max_tokens": 7, "temperature": 0.1}


def test_a_chain_may_stop_at_correct():
    lm = critic_lm(
        critic_model="ctrl-test-echo",
        critic_model_args={"name": "C", "says": "\nOverall judgment: Correct"},
        turns=3,
        stop_at_correct=True,
    )
    (answer,) = lm.generate_until([request("5 + 5 =")])
    assert turns_of(answer) == ("G#0",) * 4, "the last program stands for the turns not needed"


def test_a_chat_is_continued_as_a_chat():
    lm = critic_lm()
    context = lm.apply_chat_template(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "6 + 6?"}]
    )
    lm.generate_until([request(context)])
    (draft,), (critique,), (revision,) = EchoLM.made["G"].asked
    assert draft[0] == "<system>Be brief.<user>6 + 6?<assistant>"
    assert critique[0].startswith("<system>") and "6 + 6?" in critique[0]
    assert "Be brief." not in critique[0]
    assert revision[0].startswith("<system>Be brief.<user>6 + 6?<assistant>G#0<user>")
    assert revision[0].endswith("<assistant>")


def test_how_a_task_begins_the_answer_is_kept_in_every_turn():
    lm = critic_lm()
    history = [{"role": "user", "content": "7?"}, {"role": "assistant", "content": "It is "}]
    context = lm.apply_chat_template(history, add_generation_prompt=False)
    (answer,) = lm.generate_until([request(context)])
    (draft,), _, (revision,) = EchoLM.made["G"].asked
    assert draft[0] == "<user>7?<assistant>It is "
    assert revision[0].startswith("<user>7?<assistant>It is G#0<user>")
    assert revision[0].endswith("<assistant>It is ")
    assert turns_of(answer) == ("G#0", "G#2"), "as the task knows its answers: without it"


def test_a_chat_out_of_the_cache_of_requests_is_refused():
    lm = critic_lm()
    lm.chat_template(True)
    with pytest.raises(UserError, match="--cache_requests"):
        lm.generate_until([request("<user>8?<assistant>")])


def test_likelihoods_are_the_generators_own():
    lm = critic_lm()
    ask = Instance("loglikelihood", {}, ("a", "b"), 0)
    assert lm.loglikelihood([ask]) == [(-1.0, True)]
    assert lm.loglikelihood_rolling([ask]) == [-2.0]


def test_what_lm_eval_says_of_the_model_reaches_both():
    critic_lm(critic_model="ctrl-test-echo", critic_model_args="name=C,top=3", batch_size=8,
              device="cpu", trust_remote_code=True)  # fmt: skip
    assert EchoLM.made["G"].given == {"batch_size": 8, "device": "cpu", "trust_remote_code": True}
    assert EchoLM.made["C"].given["top"] == 3
    assert EchoLM.made["C"].given["batch_size"] == 8


def test_a_run_that_was_cut_off_goes_on_from_the_cache(tmp_path):
    arguments = {"cache": str(tmp_path / "answers"), "turns": 1}
    (first,) = critic_lm(**arguments).generate_until([request("9 + 9 =")])
    (again,) = critic_lm(**arguments).generate_until([request("9 + 9 =")])
    assert turns_of(first) == turns_of(again)
    assert EchoLM.made["G"].asked == [], "all of it was there"


def test_lm_evals_own_cache_keeps_the_chain():
    text = ChainText(["draft", "revision"])
    kept = pickle.loads(pickle.dumps(text))
    assert (kept, turns_of(kept)) == ("revision", ("draft", "revision"))
    assert json.dumps([text]) == '["revision"]'


def test_every_chain_stands_in_the_trace(tmp_path):
    path = tmp_path / "trace.jsonl"
    critic_lm(trace=str(path), turns=1).generate_until([request("10?", doc={"id": "ten"})])
    (row,) = map(json.loads, path.read_text().splitlines())
    assert (row["task"], row["doc_id"], row["id"], row["chain"]) == ("sums", 3, "ten", 1)
    assert row["completions"] == ["G#0", "G#2"]
    assert row["critiques"] == [{"text": "G#1", "judgement": "missing"}]


# -- what cannot be used


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "wraps another model"),
        ({"generator": "ctrl-test-echo", "pretrained": "x"}, "no argument 'pretrained'"),
        ({"generator": "ctrl-test-echo", "generator_args": 3}, "give a dict"),
        ({"generator": "nobody"}, "load model 'nobody', but no model for this name"),
        ({"generator": "ctrl-test-echo", "turns": -1}, "turns is -1"),
        ({"generator": "ctrl-test-echo", "critic": "oracle"}, "unknown critic 'oracle'"),
        ({"generator": "ctrl-test-echo", "history": "none"}, "history is 'none'"),
        ({"generator": "ctrl-test-echo", "critique_kwargs": "hot"}, "critique_kwargs is 'hot'"),
        ({"generator": "ctrl-test-echo", "critic_model_args": {}}, "need critic_model"),
        ({"generator": "ctrl-test-echo", "trace": "/nowhere/at/all"}, "trace=.*cannot be written"),
    ],
)
def test_arguments_that_cannot_be_used_are_one_sentence(arguments, message):
    with pytest.raises(UserError, match=message):
        CriticLM(**arguments)


def test_a_critic_that_runs_programs_needs_programs():
    with pytest.raises(UserError, match="sums has none to run"):
        critic_lm(critic="execution").generate_until([request("11?")])


def test_a_model_without_an_answer_is_no_answer():
    lm = critic_lm()
    EchoLM.made["G"].generate_until = lambda requests: [None for _ in requests]
    with pytest.raises(JudgeError, match="answered None"):
        lm.generate_until([request("12?")])


# -- our own tasks


@pytest.fixture
def scripted(new_script: Callable[..., Any]) -> Any:
    return new_script()


def evaluate(script: Any, *, task: str = "ctrl_mbppplus", **arguments: Any) -> Any:
    script.save()
    manager = TaskManager(
        include_path=[str(TASKS)], include_defaults=False, metadata={"source": "samples"}
    )
    return lm_eval.simple_evaluate(
        model="ctrl-critic",
        model_args={
            "generator": "ctrl-recorded",
            "generator_args": {"recorded": str(script.path)},
            **arguments,
        },
        tasks=[task],
        task_manager=manager,
        bootstrap_iters=0,
        confirm_run_unsafe_code=True,
    )


def test_each_turn_of_a_program_is_judged(scripted, sample_programs):
    """Half are mended, one is spoilt: the same numbers as the Inspect task has."""
    assert all(p.wrong for p in sample_programs("mbppplus")[:3])
    for number, program in enumerate(sample_programs("mbppplus")):
        right, wrong = program.right[0], (program.wrong or ("def f(): pass",))[0]
        chain = {0: (right, wrong), 1: (wrong, right), 2: (wrong, right)}.get(
            number, (right, right)
        )
        scripted.chain(program.id, chain, ["incorrect"])
    results = evaluate(scripted, turns=1)
    numbers = results["results"]["ctrl_mbppplus"]
    n = len(sample_programs("mbppplus"))
    assert numbers["pass_at_1_turn_0,none"] == pytest.approx((n - 2) / n)
    assert numbers["pass_at_1_turn_1,none"] == pytest.approx((n - 1) / n)
    assert numbers["pass_at_1_plus,none"] == numbers["pass_at_1_turn_1,none"]
    assert numbers["delta_up,none"] == pytest.approx(2 / n)
    assert numbers["delta_down,none"] == pytest.approx(1 / n)
    assert results["higher_is_better"]["ctrl_mbppplus"]["delta_down"] is False


def test_the_execution_critic_runs_the_public_tests(scripted, sample_programs, tmp_path):
    (program, *others) = sample_programs("mbppplus")
    for p in (program, *others):
        scripted.chain(p.id, [p.right[0], p.right[0]])
    trace = tmp_path / "trace.jsonl"
    results = evaluate(scripted, critic="execution", trace=str(trace))
    assert results["results"]["ctrl_mbppplus"]["pass_at_1_turn_1,none"] == 1
    rows = [json.loads(line) for line in trace.read_text().splitlines()]
    assert len(rows) == 1 + len(others)
    for row in rows:
        (critique,) = row["critiques"]
        assert critique["judgement"] == "correct"
        assert "passed all" in critique["text"]


def test_a_critic_that_fails_leaves_its_problem_out_of_the_numbers(
    scripted, sample_programs, tmp_path
):
    path = tmp_path / "bad_critic.py"
    path.write_text(
        "from ctrl_harness.critique.critic import Critique\n"
        "def make(context):\n"
        "    async def criticise(problem, draft):\n"
        f"        if problem.id in ({sample_programs('mbppplus')[0].id!r}, 'sums/3'):\n"
        "            raise OSError('the service is down')\n"
        "        return Critique('Fine.', 'correct')\n"
        "    return criticise\n"
    )
    for p in sample_programs("mbppplus"):
        scripted.chain(p.id, [p.right[0], p.right[0]])
    results = evaluate(scripted, critic=f"{path}:make")
    numbers = results["results"]["ctrl_mbppplus"]
    assert numbers["critic_errors,none"] == 1
    assert numbers["pass_at_1_plus,none"] == 1
    from ctrl_harness.plugins.lm_eval import program_tasks

    with pytest.raises(JudgeError, match="the service is down"):
        program_tasks.raise_failures()
    # of another task's answer nothing else could be told than that it was revised
    with pytest.raises(CriticError, match="the service is down"):
        critic_lm(critic=f"{path}:make").generate_until([request("13?")])


def test_inspect_makes_the_same_chains(scripted, sample_programs, run_eval):
    """One script for both: what Inspect's loop passes at each turn, lm-eval's does."""
    from ctrl_harness.tasks.codecontests import codecontests

    for number, p in enumerate(sample_programs("codecontests")):
        right, wrong = p.right[0], (p.wrong or (None,))[0]
        scripted.chain(p.id, [(right, wrong)[number % 2], (right, wrong)[number % 3 == 0]],
                       ["incorrect"])  # fmt: skip
    results = evaluate(scripted, task="ctrl_codecontests", turns=1)
    task = codecontests(source="samples", turns=1, leakage=False)
    log = run_eval(task, f"scripted/{scripted.path}")
    (score,) = log.results.scores
    numbers = results["results"]["ctrl_codecontests"]
    for turn in (0, 1):
        name = f"pass_at_1_turn_{turn}"
        assert numbers[f"{name},none"] == pytest.approx(score.metrics[name].value)
    for name in ("delta_up", "delta_down"):
        value = score.metrics[f"{name}_turn_1"].value
        assert numbers[f"{name},none"] == pytest.approx(value)


def test_the_command_line_gives_a_foreign_task_a_critic(harness_cli, tmp_path):
    """A task of somebody else's, from a file of theirs, offline."""
    rows = tmp_path / "sums.jsonl"
    rows.write_text("".join(json.dumps({"a": n, "b": 2 * n}) + "\n" for n in range(3)))
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "sums.yaml").write_text(
        "task: sums\ndataset_path: json\ndataset_kwargs:\n  data_files:\n"
        f"    test: {rows}\ntest_split: test\noutput_type: generate_until\n"
        'doc_to_text: "{{a}} + {{a}} ="\ndoc_to_target: "{{b}}"\n'
        "generation_kwargs:\n  until: ['.']\nmetric_list:\n  - metric: exact_match\n"
        "    aggregation: mean\n    higher_is_better: true\n"
    )
    trace = tmp_path / "trace.jsonl"
    done = harness_cli(
        "lm-eval", "--model", "ctrl-critic", "--model_args",
        f"generator=dummy,critic_model=dummy,turns=2,trace={trace}",
        "--tasks", "sums", "--include_path", folder, "--output_path", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 0, done.text
    chains = [json.loads(line) for line in Path(trace).read_text().splitlines()]
    assert [row["completions"] for row in chains] == [["lol"] * 3] * 3
    assert all(len(row["critiques"]) == 2 for row in chains)
