"""A trace's curves as one HTML page that needs nothing else: SVG, drawn here."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ctrl_harness.training.trace_summary import StepSummary

_WIDTH, _HEIGHT = 420, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 30, 28
_COLOURS = ("#0b6e99", "#c8553d", "#588157", "#7b5ea7")

Value = Callable[[StepSummary], float]


class Panel(NamedTuple):
    """lines: a label and its value at each step. share: the axis goes from 0 to at most 100 %."""

    title: str
    lines: tuple[tuple[str, Value], ...]
    share: bool = True


PANELS = (
    Panel("Mean reward", (("reward", lambda s: s.reward),), share=False),
    Panel("Transitions", (("Δ↑", lambda s: s.up), ("Δ↓", lambda s: s.down))),
    Panel(
        "F1 of verdicts on drafts",
        (
            ("macro", lambda s: s.f1),
            ("passed", lambda s: s.f1_passed),
            ("failed", lambda s: s.f1_failed),
        ),
    ),
    Panel(
        "Malformed critiques",
        (
            ("all", lambda s: s.malformed),
            ("no verdict", lambda s: s.missing),
            ("cut off", lambda s: s.cut_off),
        ),
    ),
    Panel(
        "Leaks",
        (("a program", lambda s: s.leaks), ("one that passes", lambda s: s.leaked_solutions)),
    ),
    Panel("Groups without variance", (("share", lambda s: s.flat_share),)),
    Panel("Lost critiques", (("share", lambda s: s.fault_share),)),
    Panel("Generator's retries", (("requests", lambda s: s.retries),), share=False),
)


def plot_html(summaries: Sequence[StepSummary], title: str) -> str:
    """The page. Unknown steps are left out; an unknown value breaks its line."""
    known = [s for s in summaries if s.step is not None]
    parts = []
    for split in dict.fromkeys(s.split for s in known):
        of_split = [s for s in known if s.split == split]
        figures = "".join(f"<figure>{_svg(panel, of_split)}</figure>" for panel in PANELS)
        parts.append(f"<h2>{html.escape(split)}</h2><div>{figures}</div>")
    if not parts:
        parts.append("<p>No step is known.</p>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        "<style>body{font:14px sans-serif;margin:2em}div{display:flex;flex-wrap:wrap;gap:1em}"
        "figure{margin:0}</style>"
        f"<h1>{html.escape(title)}</h1>{''.join(parts)}</html>\n"
    )


def _svg(panel: Panel, summaries: Sequence[StepSummary]) -> str:
    steps = [s.step for s in summaries if s.step is not None]
    values = [[value(s) for s in summaries] for _, value in panel.lines]
    known = [v for line in values for v in line if not math.isnan(v)]
    least = 0.0 if panel.share else min([0.0, *known])
    most = max([least + (0.01 if panel.share else 1.0), *known])

    def x(step: int) -> float:
        span = max(steps[-1] - steps[0], 1)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (step - steps[0]) / span

    def y(value: float) -> float:
        room = _HEIGHT - _TOP - _BOTTOM
        return _TOP + room * (1 - (value - least) / (most - least))

    def number(value: float) -> str:
        return f"{100 * value:.3g} %" if panel.share else f"{value:.3g}"

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="11"><title>{html.escape(panel.title)}</title>'
        f'<text x="{_LEFT}" y="14" font-size="13" font-weight="bold">{html.escape(panel.title)}'
        "</text>"
    ]
    for value in (least, (least + most) / 2, most):
        drawn.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
            f'stroke="#ddd"/><text x="{_LEFT - 4}" y="{y(value) + 4:.1f}" text-anchor="end">'
            f"{number(value)}</text>"
        )
    for step in dict.fromkeys((steps[0], steps[-1])):
        drawn.append(
            f'<text x="{x(step):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{step}</text>'
        )
    right = _WIDTH - _RIGHT
    for i, ((label, _), line) in enumerate(zip(panel.lines, values, strict=True)):
        colour = _COLOURS[i]
        points = [(x(step), y(v)) for step, v in zip(steps, line, strict=True)]
        drawn.append(_path(points, line, colour))
        drawn.append(
            f'<text x="{right - 90 * (len(panel.lines) - 1 - i)}" y="26" text-anchor="end" '
            f'fill="{colour}">{html.escape(label)}</text>'
        )
    return "".join(drawn) + "</svg>"


def _path(points: list[tuple[float, float]], values: list[float], colour: str) -> str:
    """A line with a dot at each point, so that a step between two gaps is seen."""
    commands, dots = [], []
    pen_down = False
    for (x, y), value in zip(points, values, strict=True):
        if math.isnan(value):
            pen_down = False
            continue
        commands.append(f"{'L' if pen_down else 'M'}{x:.1f},{y:.1f}")
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}"/>')
        pen_down = True
    return f'<path d="{"".join(commands)}" fill="none" stroke="{colour}"/>' + "".join(dots)
