"""A reward model as critic and as judge of pairs, with a tiny model that is made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

from ctrl_harness.critique.critic import Comparing, Draft, Pair  # noqa: E402
from ctrl_harness.errors import UserError  # noqa: E402
from ctrl_harness.plugins.critics.reward_model import _load, reward_model  # noqa: E402
from ctrl_harness.problems.problem import Problem  # noqa: E402
from ctrl_harness.tasks.judgebench import judgebench  # noqa: E402

WORDS = ["[UNK]", "[PAD]", *"abcdefghijklmnopqrstuvwxyz0123456789"]
PROBLEM = Problem("p", "codecontests", "add two numbers", ())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random sequence classifier with one output and a tokenizer of single characters."""
    folder = tmp_path_factory.mktemp("reward")
    save(folder, labels=1)
    return folder


def save(folder: Path, labels: int, positions: int = 64) -> None:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=positions,
        num_labels=labels, pad_token_id=1,
    )  # fmt: skip
    transformers.LlamaForSequenceClassification(config).save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    inner = tokenizers.Tokenizer(
        tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]")
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="[UNK]", pad_token="[PAD]"
    ).save_pretrained(folder)


def critic_of(argument: str) -> Any:
    return reward_model.make(argument)(None)  # type: ignore[arg-type]


def score(model: Path, response: str, question: str = "?") -> float:
    return _load(str(model)).score(question, response).value


def test_the_higher_number_wins_in_both_orders(model: Path) -> None:
    critic = critic_of(str(model))
    assert isinstance(critic, Comparing)
    first, second = "abc", "xyz 12"
    better = score(model, first) > score(model, second)
    shown = anyio.run(critic.compare, Pair("p", "?", first, second))
    swapped = anyio.run(critic.compare, Pair("p", "?", second, first, swapped=True))
    assert shown.decision == ("A>B" if better else "B>A")
    assert swapped.decision == ("B>A" if better else "A>B")
    assert shown.text.startswith("A: ") and "; B: " in shown.text


def test_equal_numbers_are_a_tie(model: Path) -> None:
    critic = critic_of(str(model))
    assert anyio.run(critic.compare, Pair("p", "?", "same", "same")).decision == "A=B"


def test_a_threshold_makes_a_judgement(model: Path) -> None:
    value = score(model, "abc", PROBLEM.statement)
    below, above = f"{value - 0.01:.6f}", f"{value + 0.01:.6f}"
    draft = Draft("abc", None)
    passed = anyio.run(critic_of(f"{model}@{below}"), PROBLEM, draft)
    failed = anyio.run(critic_of(f"{model}@{above}"), PROBLEM, draft)
    assert (passed.judgement, failed.judgement) == ("correct", "incorrect")
    assert "Overall judgment: Incorrect" in failed.text
    assert f"{value:.6g}" in failed.text
    plain = anyio.run(critic_of(str(model)), PROBLEM, draft)
    assert plain.judgement == ("correct" if value > 0 else "incorrect")


def test_nothing_at_all_is_not_scored(model: Path) -> None:
    critique = anyio.run(critic_of(f"{model}@-1e9"), PROBLEM, Draft(" \n", None))
    assert critique.judgement == "incorrect"


def test_a_chat_template_is_used_where_there_is_one(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chat"
    save(folder, labels=1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'][0] }}{{ m['content'] }}{% endfor %}"
    )
    tokenizer.save_pretrained(folder)
    found = _load(str(folder))
    asked = found._tokens("q", "r")
    assert "".join(WORDS[token] for token in asked) == "uqar"
    assert "".join(WORDS[t] for t in _load(str(model))._tokens("q", "r")) == "q[UNK][UNK]r"


def test_a_text_beyond_the_model_s_length_is_cut_and_says_so(model: Path) -> None:
    critic = critic_of(str(model))
    said = anyio.run(critic, PROBLEM, Draft("a" * 500, None))
    assert "(its end was cut off)" in said.text
    odd = anyio.run(critic, PROBLEM, Draft("half \ud800 \x00", None))
    assert odd.judgement in ("correct", "incorrect")


def test_the_same_text_has_the_same_number_whatever_was_read_before(model: Path) -> None:
    before = score(model, "abc")
    for text in ("x", "yy", "zzz" * 40):
        score(model, text)
    _load.cache_clear()
    assert score(model, "abc") == before


def test_a_reward_model_without_a_tokenizer_is_a_sentence(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    save(folder, labels=1)
    for file in folder.glob("*token*"):
        file.unlink()
    with pytest.raises(UserError, match="has no tokenizer that can be loaded") as caught:
        reward_model.make(str(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spoil", ["no weights", "broken weights", "nothing"])
def test_what_cannot_be_loaded_is_a_sentence(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "model"
    save(folder, labels=1)
    weights = folder / "model.safetensors"
    if spoil == "no weights":
        weights.unlink()
    elif spoil == "broken weights":
        weights.write_bytes(b"{" * 100)
    else:
        for file in folder.iterdir():
            file.unlink()
    with pytest.raises(UserError) as caught:
        reward_model.make(str(folder))
    assert "\n" not in str(caught.value)


def test_more_than_one_number_is_a_sentence(tmp_path: Path) -> None:
    save(tmp_path / "two", labels=2)
    with pytest.raises(UserError, match="gives 2 numbers a text; a reward model gives one"):
        reward_model.make(str(tmp_path / "two"))


@pytest.mark.parametrize("threshold", ["nan", "inf"])
def test_a_threshold_that_is_no_number_is_a_sentence(model: Path, threshold: str) -> None:
    with pytest.raises(UserError, match="give a number behind the @"):
        reward_model.make(f"{model}@{threshold}")


def test_it_judges_judgebench(model: Path, sample_rows: Any, run_eval: Any) -> None:
    rows = [row for row in sample_rows("judgebench") if row["response_model"] == "sample-gpt"]
    log = run_eval(judgebench(source="samples", critic=f"reward_model:{model}"), "none")
    assert log.status == "success", log.error
    (found,) = log.results.scores
    numbers = {name: metric.value for name, metric in found.metrics.items()}
    right = []
    for row in rows:
        a, b = (score(model, row[f"response_{key}"], row["question"]) for key in "AB")
        right.append(a > b if row["label"] == "A>B" else b > a)
    assert numbers["accuracy"] == pytest.approx(sum(right) / len(right))
    assert (numbers["inconsistent"], numbers["position_bias"]) == (0, 0)
    assert numbers["missing_decisions"] == 0


def test_it_keeps_the_contract(model: Path, harness_cli: Any) -> None:
    done = harness_cli("critics", "check", f"reward_model:{model}")
    assert done.code == 0, done.text
    assert "holds    pairs" in done.stdout and json.dumps("FAILS") not in done.stdout
