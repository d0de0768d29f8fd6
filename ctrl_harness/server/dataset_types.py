"""SandboxFusion's dataset types for Python: how each is judged, and what its prompts show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ctrl_harness.errors import UserError
from ctrl_harness.server import assert_types, prompts, stdio_types, text_types
from ctrl_harness.server.models import Prompt, SubmitRequest, TestConfig
from ctrl_harness.server.prompts import Prompts, each
from ctrl_harness.server.refusal import NotSupported
from ctrl_harness.server.row_fields import Row
from ctrl_harness.server.submission import Submission


@dataclass(frozen=True, slots=True)
class DatasetType:
    """submission: what to judge of a completion on a row. prompts: of rows."""

    submission: Callable[[SubmitRequest, Row], Submission]
    prompts: Prompts
    by_category: bool = False  # whether SandboxFusion gives metrics by category


def _refused(reason: str) -> Callable[[SubmitRequest, Row], Submission]:
    def submission(_: SubmitRequest, __: Row) -> Submission:
        raise NotSupported(reason)

    return submission


_HUMANEVAL = DatasetType(assert_types.humaneval, prompts.humaneval_prompts)
_AUTO_EVAL = DatasetType(assert_types.auto_eval, each(prompts.auto_eval))
_MAX_ID_DIGITS = 20
_NO_TOKENIZER = "RepoBench-P cuts its prompts by GPT-2's tokens, and no tokenizer is here"

TYPES: dict[str, DatasetType] = {
    "CommonOJDataset": DatasetType(stdio_types.common_oj, each(prompts.common_oj)),
    "LiveCodeBenchDataset": DatasetType(stdio_types.live_code_bench, each(prompts.live_code_bench)),
    "MBPPDataset": DatasetType(assert_types.mbpp, each(prompts.mbpp)),
    "HumanEvalDataset": _HUMANEVAL,
    "HumanEvalDeprecatedDataset": _HUMANEVAL,
    "EvoEvalDataset": DatasetType(
        assert_types.humaneval, prompts.humaneval_prompts, by_category=True
    ),
    "MHPPDataset": DatasetType(assert_types.mhpp, each(prompts.mhpp), by_category=True),
    "AutoEvalDataset": _AUTO_EVAL,
    "AutoEvalV4Dataset": _AUTO_EVAL,
    "AutoEvalV5Dataset": _AUTO_EVAL,
    "AutoEvalV6Dataset": _AUTO_EVAL,
    "AiderBenchmarkDataset": DatasetType(assert_types.aider, each(prompts.aider)),
    "CruxEvalDataset": DatasetType(text_types.crux_eval, prompts.crux_eval),
    "PalMathDataset": DatasetType(
        _refused("PalMath's answers are compared by computer algebra, which is not here"),
        each(prompts.content),
    ),
    "RepobenchCDataset": DatasetType(text_types.repo_bench, each(prompts.content, ("next_line",))),
    "RepobenchPDataset": DatasetType(text_types.repo_bench, prompts.refused(_NO_TOKENIZER)),
}
"""By name, aliases among them."""

_OF_DATASET = {
    "code_contests": "CommonOJDataset",
    "live_code_bench_v1": "LiveCodeBenchDataset",
    "mbpp": "MBPPDataset",
    "humaneval_python": "HumanEvalDataset",
    "shadow_humaneval_python": "HumanEvalDataset",
    "bigcodebench": "HumanEvalDataset",
    "evoeval": "EvoEvalDataset",
    "mhpp": "MHPPDataset",
    "palmath": "PalMathDataset",
    "cruxeval": "CruxEvalDataset",
    "aider_benchmark_v1": "AiderBenchmarkDataset",
    "repobench_c_python": "RepobenchCDataset",
    "repobench_p_python": "RepobenchPDataset",
}
"""SandboxFusion's own data sets: their name does for the type."""


def type_of(dataset: str, config: TestConfig) -> DatasetType:
    """Raises UserError for a type that is not known here."""
    name = config.dataset_type or _OF_DATASET.get(dataset)
    if name is None or name not in TYPES:
        raise UserError(
            f"config.dataset_type is {config.dataset_type!r:.80}; this server holds no data sets "
            f"and knows the types {', '.join(TYPES)}"
        )
    if config.language not in (None, "python"):
        raise UserError(f"config.language is {config.language!r:.80}; only python is judged here")
    return TYPES[name]


def prompts_of(dataset: str, config: TestConfig) -> list[Prompt]:
    """The prompts of all rows of a request."""
    data = _rows_of(config)
    if not isinstance(data, list):
        raise UserError("config.provided_data is one row; give a list of rows")
    return type_of(dataset, config).prompts(data, config)


def prompt_of(dataset: str, row_id: int | str, config: TestConfig) -> Prompt:
    """The prompt of one row; of CruxEval's two that which asks for the output."""
    _rows_of(config)
    return type_of(dataset, config).prompts([row_with_id(config, row_id)], config)[-1]


def _rows_of(config: TestConfig) -> object:
    if config.provided_data is None:
        raise NotSupported("this server holds no data sets; send the rows in config.provided_data")
    return config.provided_data


def row_with_id(config: TestConfig, row_id: int | str) -> Row:
    """The row to judge on: the one that was sent, or that of several whose id it is."""
    data = config.provided_data
    if isinstance(data, dict):
        return data
    if data is None:
        raise UserError("config.provided_data is missing; send the row, none is stored here")
    # 2 and "2" are one id; an integer of a row may be too long to become text
    spellings = [row_id, str(row_id)]
    if isinstance(row_id, str) and row_id.isdecimal() and len(row_id) < _MAX_ID_DIGITS:
        spellings.append(int(row_id))
    rows = [row for row in data if row.get("id") in spellings]
    if len(rows) != 1:
        raise UserError(f"config.provided_data has {len(rows)} rows of id {row_id!r:.80}")
    return rows[0]
