"""A comparison as text, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctrl_harness.analysis.comparison import Compared, Difference, Number
from ctrl_harness.analysis.comparison_control import BesideControl
from ctrl_harness.analysis.tables import markdown_table, percent


@dataclass(frozen=True, slots=True)
class Spent:
    """What a chain of an arm took on average, without its draft: tokens, and dollars, None where no
    price is known."""

    generator: float
    critic: float
    cost: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told.

    arms: what each one is, by name. unjudged: samples of an arm in no number, with the reasons.
    controls: by the control's name. notes: what the reader must know. what: of which the pairs are.
    """

    title: str
    arms: Mapping[str, Mapping[str, Any]]
    compared: Compared | None
    spent: Mapping[str, Spent]
    unjudged: Mapping[str, Mapping[str, int]]
    controls: Mapping[str, BesideControl] = field(default_factory=dict)
    notes: Sequence[str] = ()
    what: str = "drafts of {problems} problems, read by every critic"

    def heading(self, compared: Compared) -> str:
        """What the numbers are about."""
        told = self.what.format(problems=compared.problems)
        return f"{compared.pairs} {told}. Per cent, with 95 % intervals clustered by problem."


def as_text(report: Report) -> str:
    """Tables in Markdown."""
    parts = [f"# {report.title}"]
    compared = report.compared
    if compared is not None:
        parts.append(report.heading(compared))
        parts.append(_numbers_table(report, compared))
        parts.append(_differences_table(compared))
    if report.controls:
        parts.append(_controls_table(report.controls))
    parts += [*_left_out(report), *report.notes]
    return "\n\n".join(part for part in parts if part) + "\n"


def _numbers_table(report: Report, compared: Compared) -> str:
    names = list(compared.numbers)
    rows = [
        {"": label, **{name: _told(compared.numbers[name][key]) for name in names}}
        for key, label in compared.labels.items()
    ]
    if report.spent:
        spent = {name: report.spent[name] for name in names}
        rows += [
            {"": "critic's tokens a chain", **{n: f"{s.critic:,.0f}" for n, s in spent.items()}},
            {"": "generator's, no draft", **{n: f"{s.generator:,.0f}" for n, s in spent.items()}},
            {"": "cost a chain, $", **{n: _dollars(s.cost) for n, s in spent.items()}},
        ]
    return markdown_table(["", *names], rows)


def _dollars(cost: float | None) -> str:
    return "–" if cost is None else f"{cost:.4f}"


def _told(number: Number) -> str:
    found = number.estimate
    if math.isnan(found.value):
        return "–"
    return f"{percent(found.value)}{_interval(found.low, found.high)}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" [{percent(low)}, {percent(high)}]"


def _differences_table(compared: Compared) -> str:
    if not compared.differences:
        return ""
    rows = [
        {
            "": f"{d.first} − {d.second}",
            "of": compared.labels[d.figure],
            "difference": percent(d.estimate.value),
            "paired bootstrap, 95 %": _interval(d.bootstrap.low, d.bootstrap.high).strip() or "–",
            "p": _p(d.p_value),
            "p, Holm": _p(d.adjusted),
        }
        for d in compared.differences
    ]
    columns = ("", "of", "difference", "paired bootstrap, 95 %", "p", "p, Holm")
    return (
        "Differences on the same drafts; p by swapping the two in each problem, adjusted over all "
        "pairs of one figure.\n\n" + markdown_table(columns, rows)
    )


def _p(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _controls_table(controls: Mapping[str, BesideControl]) -> str:
    rows = []
    for name, control in controls.items():
        for reading in control.readings:
            rows.append(
                {
                    "": f"{name}: {reading.name}",
                    "Pass@1": f"{percent(reading.value.value)}"
                    f"{_interval(reading.value.low, reading.value.high)}",
                    "critic": control.arm,
                    "critic − control": percent(reading.less.value) if reading.matched else "–",
                    "paired bootstrap, 95 %": _interval(
                        reading.interval.low, reading.interval.high
                    ).strip()
                    if reading.matched
                    else "–",
                    "tokens / critic's": f"{reading.tokens:.3f}",
                }
            )
    columns = ("", "Pass@1", "critic", "critic − control", "paired bootstrap, 95 %",
               "tokens / critic's")  # fmt: skip
    return (
        "The compute-matched control: programs drawn anew for the critic's tokens. The oracle "
        "bound is no method.\n\n" + markdown_table(columns, rows)
    )


def _left_out(report: Report) -> list[str]:
    lines = []
    for name, reasons in report.unjudged.items():
        for reason, count in reasons.items():
            lines.append(f"{name}: {count} samples are in no number: {reason}")
    if report.compared is not None:
        for name, count in report.compared.left_out.items():
            if count:
                lines.append(f"{name}: {count} outcomes are left out, which another critic lacks")
    return lines


# -- for machines


def as_json(report: Report) -> dict[str, Any]:
    """Plain JSON; NaN as null, shares between 0 and 1."""
    compared = report.compared
    told: dict[str, Any] = {
        "title": report.title,
        "arms": report.arms,
        "spent": {
            name: {"generator_tokens": s.generator, "critic_tokens": s.critic, "cost": s.cost}
            for name, s in report.spent.items()
        },
        "unjudged": report.unjudged,
        "controls": {name: _control(control) for name, control in report.controls.items()},
        "notes": list(report.notes),
    }
    if compared is not None:
        told["pairs"] = compared.pairs
        told["problems"] = compared.problems
        told["left_out"] = dict(compared.left_out)
        told["figures"] = dict(compared.labels)
        told["numbers"] = {
            name: {key: _number(number) for key, number in numbers.items()}
            for name, numbers in compared.numbers.items()
        }
        told["differences"] = [_difference(d) for d in compared.differences]
    cleaned: dict[str, Any] = _finite(told)
    return cleaned


def _number(number: Number) -> dict[str, Any]:
    return {
        **number.estimate._asdict(),
        "bootstrap_low": number.bootstrap.low,
        "bootstrap_high": number.bootstrap.high,
    }


def _difference(d: Difference) -> dict[str, Any]:
    return {
        "figure": d.figure,
        "first": d.first,
        "second": d.second,
        **d.estimate._asdict(),
        "bootstrap_low": d.bootstrap.low,
        "bootstrap_high": d.bootstrap.high,
        "p_value": d.p_value,
        "exact": d.exact,
        "p_holm": d.adjusted,
    }


def _control(control: BesideControl) -> dict[str, Any]:
    return {
        "arm": control.arm,
        "pairs": control.pairs,
        "exhausted": control.exhausted,
        "matched": control.matched,
        "readings": [
            {
                "name": reading.name,
                **reading.value._asdict(),
                "tokens_of_arm": reading.tokens,
                "matched": reading.matched,
                "difference": {
                    **reading.less._asdict(),
                    "bootstrap_low": reading.interval.low,
                    "bootstrap_high": reading.interval.high,
                }
                if reading.matched
                else None,
            }
            for reading in control.readings
        ],
    }


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value


CSV_COLUMNS = (
    "critic", "figure", "value", "stderr", "low", "high", "bootstrap_low", "bootstrap_high", "n",
    "problems",
)  # fmt: skip


def as_csv(report: Report) -> str:
    """A line a number: shares between 0 and 1, tokens and dollars a chain as they are."""
    file = io.StringIO()
    writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    if report.compared is not None:
        for name, numbers in report.compared.numbers.items():
            for key, number in numbers.items():
                told = _finite(_number(number))
                told["problems"] = told.pop("clusters")
                writer.writerow({"critic": name, "figure": key, **told})
    for name, spent in report.spent.items():
        for key, value in (
            ("critic_tokens", spent.critic),
            ("generator_tokens", spent.generator),
            ("cost", spent.cost),
        ):
            if value is not None:
                writer.writerow({"critic": name, "figure": key, "value": value})
    for name, control in report.controls.items():
        for reading in control.readings:
            told = _finite(reading.value._asdict())
            told["problems"] = told.pop("clusters")
            key = f"control_{reading.name.replace(' ', '_')}"
            writer.writerow({"critic": name, "figure": key, **told})
    return file.getvalue()


