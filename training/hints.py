"""What the critic is asked when training data is made: its usual question, and what a run showed.

CTRL's hints (arXiv 2502.03492, section 3.2 and table 7). The facts are the prompt set's own
`hint.txt`; what to make of them, and not to name them, is its `synthesis.txt`. The usual question
stands before both, so that a critique answers in the form that training and evaluation read.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ctrl_harness.critique.critic import Draft
from ctrl_harness.critique.feedback import Feedback
from ctrl_harness.critique.messages import Message
from ctrl_harness.critique.prompts import BUILT_IN, Prompts, PromptSet, built_in_sets
from ctrl_harness.problems.problem import Problem

_TEMPLATE = "synthesis"
_DEFAULT_SET = "default"


def hinted_messages(
    prompts: Prompts, problem: Problem, draft: Draft, feedback: Feedback
) -> tuple[Message, ...]:
    """A chat with the critic who knows what running the draft showed.

    Raises UserError for a `synthesis.txt` that cannot be used.
    """
    *before, question = prompts.critique(problem, draft)
    template = _template(prompts.name, problem.dataset)
    told = template.render(_TEMPLATE, hint=prompts.hint(feedback), kind=feedback.kind)
    return (*before, Message(question.role, f"{question.content}\n\n{told.strip()}"))


@lru_cache(maxsize=64)
def _template(source: str, dataset: str) -> PromptSet:
    folder = BUILT_IN / source if source in built_in_sets() else Path(source).expanduser()
    file = f"{_TEMPLATE}.txt"
    own = (folder / dataset / file).is_file() or (folder / file).is_file()
    return PromptSet(source if own else _DEFAULT_SET, dataset, required=(_TEMPLATE,))
