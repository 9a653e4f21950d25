"""The forest plot: every study with its data, weight and interval, and the pooled result as a diamond under them."""

from __future__ import annotations

import os
from typing import Any

from balm.plots.figure import Figure
from balm.plots.forest_layout import Layout, Mark, Text, lay_out
from balm.plots.forest_options import ForestOptions, read_options
from balm.plots.forest_reading import BIAS_SIGNS, read_result
from balm.plots.svg import Drawing, escape, number, safe_link

#: Colours by palette; every one of them is matched by a shape, a position or a sign.
_COLOURS = {
    "colour": {
        "square": "#2b6cb0",
        "interval": "#1a202c",
        "diamond": "#111827",
        "bar": "#9b2c2c",
        "line": "#4a5568",
        "reference": "#7b341e",
        "low": "#2f9e44",
        "some": "#f2c029",
        "high": "#d9362b",
        "none": "#e2e8f0",
    },
    "greyscale": {
        "square": "#555",
        "interval": "#000",
        "diamond": "#000",
        "bar": "#666",
        "line": "#444",
        "reference": "#444",
        "low": "#fff",
        "some": "#ccc",
        "high": "#777",
        "none": "#fff",
    },
}


def forest(result: Any, path: str | os.PathLike[str] | None = None, **options: Any) -> Figure:
    """Draw a forest plot of ``result``; with ``path``, also save it (.svg, .png or .pdf by ending).

    result  : a pooled result (``pool``, ``mantel_haenszel``, ``peto``), subgroups, leave-one-out or cumulative results,
              or effect sizes alone.
    options : see :class:`balm.plots.forest_options.ForestOptions`; the most used are ``title``, ``arms``, ``favours``,
              ``sort``, ``also``, ``columns``, ``extra``, ``reference``, ``limits``, ``risk_of_bias`` and ``palette``.

    Columns follow the data: events and totals, means and SDs, events and time, or effect and standard error. Squares
    have an area proportional to weight; an interval that leaves the axis ends in an arrow; a study that is not
    estimable keeps its row and its counts. Cochrane Handbook, section 10.2.
    """
    chosen = read_options(options)
    content = read_result(result, chosen)
    layout = lay_out(content, chosen)
    figure = _draw(layout, content.title, content.description, chosen)
    if path is not None:
        figure.save(path)
    return figure


def _draw(layout: Layout, title: str, description: str, options: ForestOptions) -> Figure:
    size = options.font_size
    ink = _COLOURS[options.palette]
    drawing = Drawing(
        layout.width,
        layout.height,
        title=title,
        description=description,
        font_family=options.font_family,
        font_size=size,
    )
    axis = layout.axis
    drawing.line(round(size), layout.rule_y, layout.width - round(size), layout.rule_y, stroke=ink["line"])
    for x1, x2, y in layout.rules:
        drawing.line(x1, y, x2, y, stroke=ink["line"], width=0.6)
    top, bottom = layout.plot_top, layout.axis_y
    if layout.null_x is not None:
        drawing.line(layout.null_x, top, layout.null_x, bottom, stroke=ink["line"])
    if layout.pooled_x is not None:
        drawing.line(layout.pooled_x, top, layout.pooled_x, bottom, stroke=ink["line"], width=0.8, dash="3 3")
    for x in layout.reference_x:
        drawing.line(x, top, x, bottom, stroke=ink["reference"], width=0.9, dash="6 3")
    drawing.line(axis.start, bottom, axis.end, bottom, stroke=ink["line"])
    for x in layout.tick_x:
        drawing.line(x, bottom, x, bottom + 0.35 * size, stroke=ink["line"])
    _marks(drawing, layout, ink)
    _dots(drawing, layout, ink, size)
    drawing.parts.append(_texts(layout.texts))
    return drawing.figure()


def _marks(drawing: Drawing, layout: Layout, ink: dict[str, str]) -> None:
    lines: list[str] = []
    squares: list[str] = []
    arrows: list[str] = []
    diamonds: list[str] = []
    bars: list[str] = []
    for mark in layout.marks:
        if mark.kind == "diamond":
            diamonds.append(f'<path d="{_diamond(mark, layout.axis.start, layout.axis.end)}"/>')
            for clipped, x, way in ((mark.clipped_low, layout.axis.start, -1), (mark.clipped_high, layout.axis.end, 1)):
                if clipped:
                    arrows.append(_arrow(x + 6.5 * way, mark.y, way))
            continue
        y = number(mark.y)
        if mark.kind == "square":
            lines.append(f"M{number(mark.low)} {y}H{number(mark.high)}")
            if mark.half:
                side = number(2 * mark.half)
                squares.append(
                    f'<rect x="{number(mark.middle - mark.half)}" y="{number(mark.y - mark.half)}" '
                    f'width="{side}" height="{side}"/>'
                )
        else:
            caps = "".join(
                [
                    f"M{number(x)} {number(mark.y - 3)}V{number(mark.y + 3)}"
                    for x, clipped in ((mark.low, mark.clipped_low), (mark.high, mark.clipped_high))
                    if not clipped
                ]
            )
            start = number(mark.low + 4 * mark.clipped_low)  # the arrow's point, not the bar, reaches the edge
            bars.append(f'<path d="M{start} {y}H{number(mark.high - 4 * mark.clipped_high)}{caps}"/>')
        if mark.clipped_low:
            arrows.append(_arrow(mark.low, mark.y, -1))
        if mark.clipped_high:
            arrows.append(_arrow(mark.high, mark.y, 1))
    add = drawing.parts.append
    if squares:
        add(f'<g fill="{ink["square"]}">\n' + "\n".join(squares) + "\n</g>\n")
    if lines:
        add(
            f'<g stroke="{ink["interval"]}" stroke-width="1.1" fill="none">\n'
            + "\n".join([f'<path d="{line}"/>' for line in lines])
            + "\n</g>\n"
        )
    if bars:
        add(f'<g stroke="{ink["bar"]}" stroke-width="2.2" fill="none">\n' + "\n".join(bars) + "\n</g>\n")
    if diamonds:
        add(f'<g fill="{ink["diamond"]}">\n' + "\n".join(diamonds) + "\n</g>\n")
    if arrows:
        add(f'<g fill="{ink["interval"]}">\n' + "\n".join(arrows) + "\n</g>\n")


def _arrow(x: float, y: float, way: int) -> str:
    """An arrow head with its point at (x, y), pointing left (-1) or right (1)."""
    back = number(x - 5.5 * way)
    return f'<path d="M{number(x)} {number(y)}L{back} {number(y - 3.5)}V{number(y + 3.5)}Z"/>'


def _diamond(mark: Mark, left: float, right: float) -> str:
    """The outline of a diamond, cut at the edges of the plot; a very narrow one keeps a visible width."""
    low, high = min(mark.low, mark.middle - 1.5), max(mark.high, mark.middle + 1.5)
    middle, y, half = mark.middle, mark.y, mark.half

    def height(x: float) -> float:
        return half * ((x - low) / (middle - low) if x <= middle else (high - x) / (high - middle))

    corners: list[tuple[float, float]] = []
    edges = [max(low, left), min(high, right)]
    if edges[0] >= edges[1]:  # wholly beyond an edge: the arrow tells the side
        return ""
    xs = [edges[0], *([middle] if edges[0] < middle < edges[1] else []), edges[1]]
    for x in xs:
        corners.append((x, y - height(x)))
    for x in reversed(xs):
        if height(x) > 0:
            corners.append((x, y + height(x)))
    return "M" + "L".join([f"{number(x)} {number(at)}" for x, at in corners]) + "Z"


def _dots(drawing: Drawing, layout: Layout, ink: dict[str, str], size: float) -> None:
    for dot in layout.dots:
        sign = BIAS_SIGNS[dot.judgement]
        tone = {"+": "low", "?": "some", "−": "high", "!": "high", "": "none"}[sign]
        words = dot.judgement or "not judged"
        drawing.circle(dot.x, dot.y, 0.6 * size, fill=ink[tone], stroke=ink["line"], stroke_width=0.6, full=words)
        if sign:
            drawing.text(dot.x, dot.y + 0.35 * size, sign, anchor="middle", bold=True)


#: What follows the position of a text, by (anchor, bold).
_STYLES = {
    ("start", False): "",
    ("middle", False): ' text-anchor="middle"',
    ("end", False): ' text-anchor="end"',
    ("start", True): ' font-weight="bold"',
    ("middle", True): ' text-anchor="middle" font-weight="bold"',
    ("end", True): ' text-anchor="end" font-weight="bold"',
}


def _texts(texts: list[Text]) -> str:
    """All texts, in the order of the layout, which is that of reading."""
    written: list[str] = []
    add, styles = written.append, _STYLES
    everything = "".join([text.text for text in texts])
    plain = escape(everything) is everything  # nothing to escape, as in most figures
    for text in texts:
        x, y, style = number(text.x), number(text.y), styles[text.anchor, text.bold]
        if text.full is None and text.link is None and not text.size:
            add(f'<text x="{x}" y="{y}"{style}>{text.text if plain else escape(text.text)}</text>')
            continue
        place = f'x="{x}" y="{y}"{style}'
        if text.size:
            place += f' font-size="{number(text.size)}"'
        tip = "" if text.full is None else f"<title>{escape(text.full)}</title>"
        one = f"<text {place}>{tip}{escape(text.text)}</text>"
        written.append(f'<a href="{escape(safe_link(text.link))}">{one}</a>' if text.link else one)
    return "\n".join(written) + "\n"
