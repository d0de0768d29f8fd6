"""JudgeBench, pairwise or pointwise: `inspect eval tasks/judgebench.py --model …`."""

from functools import partial
from typing import Unpack

from inspect_ai import Task, task

from ctrl_harness.evaluation.judgebench import Given, judgebench_task
from ctrl_harness.problems import judgebench as problems


@task
def judgebench(
    source: str = "hub",
    revision: str | None = None,
    split: str = "gpt",
    protocol: str = "default",
    **settings: Unpack[Given],
) -> Task:
    """Pairs of responses, one right and one wrong (ScalerLab/JudgeBench).

    The judge is the model in the role `critic`, else the model itself, or any other critic.

    Args:
        source: samples (shipped), hub, or a local jsonl, jsonl.gz or parquet file or folder.
        revision: Commit of the Hub's repository; its main branch by default, resolved and logged.
        split: gpt (350 pairs) or claude (270).
        protocol: default, the official one (mode=pairwise), or ctrl, the paper's (mode=pointwise).
        settings: What differs from the protocol: mode (pairwise: both responses shown, in both
            orders; pointwise: each criticised alone, the one more often called Correct wins),
            votes (critiques a response gets, an odd number), critic (model, recorded:FILE,
            reward_model:PATH, http:URL and others, docs/critics.md), prompts, temperature, top_p,
            max_tokens, repetition_penalty.
    """
    return judgebench_task(
        partial(problems.load_pairs, split=split, revision=revision),
        source=source,
        protocol=protocol,
        **settings,
    )
