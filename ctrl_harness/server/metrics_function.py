"""What `/get_metrics_function` answers: source that a client runs, for data sets with categories.

As SandboxFusion's (sandbox/datasets/mhpp.py, humanevoeval.py): the client defines `repeats` and
`k_targets` beside it, calls `get_metrics(results)` and gets pass@k by category, estimated as in
Chen et al. 2021, section 2.1.
"""

from __future__ import annotations

SOURCE = """
def get_metrics(results):
    from math import comb

    passed = {}
    for result in results:
        info = result.tests[0].test_info if result.tests else None
        category = (info or {}).get("difficulty_type")
        if category is None:  # EvoEval: EvoEval_CATEGORY_EvoEval/NUMBER
            category = str(result.id).removeprefix("EvoEval_").partition("_EvoEval")[0]
        passed.setdefault(category, {}).setdefault(result.id, []).append(bool(result.accepted))
    metrics = {}
    for category, problems in passed.items():
        for k in k_targets:
            if k <= repeats:
                missed = [
                    comb(repeats - sum(each), k) / comb(repeats, k) for each in problems.values()
                ]
                metrics[f"{category}/Pass@k={k}"] = 1 - sum(missed) / len(missed)
    return metrics
"""
