"""Small line charts as SVG, side by side, readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 380, 250
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 28, 64
# Okabe and Ito's colors, which color-blind readers can tell apart.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
INK = "#808080"


@dataclass(frozen=True)
class Series:
    """A line: its name and its points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def draw(
    panels: Mapping[str, Sequence[Series]],
    x_title: str,
    limits: Mapping[str, tuple[str, float]],
) -> str:
    """The text of an SVG with one chart for each panel; both axes begin at zero.

    ``limits`` maps the titles of panels to the name and height of a dashed line.
    """
    shapes = []
    for place, (title, series) in enumerate(panels.items()):
        inside = _panel(title, series, x_title, limits.get(title))
        shapes.append(f'<g transform="translate({place * WIDTH},0)">{inside}</g>')
    size = f'width="{WIDTH * len(panels)}" height="{HEIGHT}"'
    style = 'font-family="sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style} fill="{INK}">'
    return "\n".join([head, *shapes, "</svg>", ""])


def _panel(
    title: str, series: Sequence[Series], x_title: str, limit: tuple[str, float] | None
) -> str:
    right = max(max(each.x) for each in series)
    top = max([*(max(each.y) for each in series), limit[1] if limit else 0.0]) * 1.05

    def x(value: float) -> float:
        return LEFT + value / right * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    shapes = [
        _text(LEFT, 16, title, "start"),
        _line(x(0), y(0), x(right), y(0)),
        _line(x(0), y(0), x(0), y(top)),
        _text(x(right), HEIGHT - BOTTOM + 30, x_title, "end"),
    ]
    foot = HEIGHT - BOTTOM + 16
    shapes += [_text(x(value), foot, f"{value:.1f}", "middle") for value in series[0].x]
    shapes += [_text(LEFT - 6, y(tick) + 4, f"{tick:g}", "end") for tick in ticks(top)]
    for number, each in enumerate(series):
        color = COLORS[number % len(COLORS)]
        points = [(x(a), y(b)) for a, b in zip(each.x, each.y, strict=True)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        shapes += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{color}"/>' for a, b in points]
        across, down = number % 3, number // 3
        where = LEFT + across * 108, HEIGHT - 16 + 13 * down
        shapes.append(_text(*where, each.name, "start", color))
    if limit:
        name, height = limit
        shapes.append(_line(x(0), y(height), x(right), y(height), "5 4"))
        shapes.append(_text(x(right), y(height) - 5, name, "end"))
    return "\n".join(shapes)


def ticks(top: float) -> list[float]:
    """Round values from 0 up to a value, four to eight of them."""
    unit = 10 ** math.floor(math.log10(top))
    step = next(unit * share for share in (2, 1, 0.5, 0.2) if top >= 3 * unit * share)
    return [round(number * step, 10) for number in range(int(top / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str, fill: str = INK) -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"'
    return f"<text {where}>{escape(text)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, dashes: str = "") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line {ends} stroke="{INK}"{dashed}/>'
