"""An arranged forest plot written as SVG, back to front: lines, squares, diamonds, dots, then every text."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

from balm.plots.figure import Figure
from balm.plots.forest_columns import BIAS_SIGNS
from balm.plots.forest_options import ForestOptions
from balm.plots.forest_placed import Layout, Line, Mark, Square, Text
from balm.plots.svg import Drawing, escape, number, numbers, safe_link

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
        "nothing": "#8fb8e8",
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
        "nothing": "#eee",
    },
}


#: The sign of a judgement -> its colour; "no information" has one of its own.
TONES = {"+": "low", "?": "some", "−": "high", "!": "high", "NI": "nothing", "NA": "none", "": "none"}


def draw(layout: Layout, title: str, description: str, options: ForestOptions) -> Figure:
    """The figure of ``layout``, with its text alternative."""
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
    line, grey = drawing.line, ink["line"]
    line(round(size), layout.rule_y, layout.width - round(size), layout.rule_y, stroke=grey)
    for x1, x2, y in layout.rules:
        line(x1, y, x2, y, stroke=grey, width=0.6)
    top, bottom = layout.plot_top, layout.axis_y
    if layout.null_x is not None:
        line(layout.null_x, top, layout.null_x, bottom, stroke=grey)
    if layout.pooled_x is not None:
        line(layout.pooled_x, top, layout.pooled_x, bottom, stroke=grey, width=0.8, dash="3 3")
    for x in layout.reference_x:
        line(x, top, x, bottom, stroke=ink["reference"], width=0.9, dash="6 3")
    line(layout.axis.start, bottom, layout.axis.end, bottom, stroke=grey)
    for x in layout.tick_x:
        line(x, bottom, x, bottom + 0.35 * size, stroke=grey)
    _marks(drawing, layout, ink)
    _dots(drawing, layout, ink, size)
    drawing.parts += _texts(layout)
    return drawing.figure()


def _marks(drawing: Drawing, layout: Layout, ink: dict[str, str]) -> None:
    left, right = layout.axis.start, layout.axis.end
    squares, lines, arrows = _squares(layout.squares, left, right)
    bars: list[str] = []
    diamonds: list[str] = []
    for mark in layout.shapes:
        inset = 0.0
        if mark.kind == "diamond":
            diamonds.append(f'<path d="{_diamond(mark, left, right)}"/>')
            inset = 6.5
        else:
            bars.append(_bar(mark))
        if mark.clipped_low:
            arrows.append((mark.y, left - inset, -1))
        if mark.clipped_high:
            arrows.append((mark.y, right + inset, 1))
    for attributes, shapes in (
        (f'fill="{ink["square"]}"', squares),
        (f'stroke="{ink["interval"]}" stroke-width="1.1" fill="none"', lines),
        (f'stroke="{ink["bar"]}" stroke-width="2.2" fill="none"', bars),
        (f'fill="{ink["diamond"]}"', diamonds),
        (f'fill="{ink["interval"]}"', [_arrow(x, y, way) for y, x, way in sorted(arrows)]),
    ):
        if shapes:
            drawing.parts.append(f"<g {attributes}>\n" + "\n".join(shapes) + "\n</g>\n")


def _squares(
    studies: list[Square], left: float, right: float
) -> tuple[list[str], list[str], list[tuple[float, float, int]]]:
    """The squares of the studies, the lines of their intervals and where arrows stand: y, x, and which way they point.

    An estimate off the axis has no square.
    """
    if not studies:
        return [], [], []
    ys, _, lows, highs, halves, cut_low, cut_high = zip(*studies, strict=True)
    columns = numbers(lows), map(number, ys), numbers(highs)
    lines = [f'<path d="M{low} {y}H{high}"/>' for low, y, high in zip(*columns, strict=True)]
    seen = studies if all(halves) else [study for study in studies if study[4]]
    lefts, tops = numbers([study[1] - study[4] for study in seen]), numbers([study[0] - study[4] for study in seen])
    sides = [number(2 * study[4]) for study in seen]
    squares = [
        f'<rect x="{x}" y="{y}" width="{side}" height="{side}"/>' for x, y, side in zip(lefts, tops, sides, strict=True)
    ]
    arrows = [(y, left, -1) for y, cut in zip(ys, cut_low, strict=True) if cut]
    arrows += [(y, right, 1) for y, cut in zip(ys, cut_high, strict=True) if cut]
    return squares, lines, arrows


def _bar(mark: Mark) -> str:
    """A prediction interval: a cap at each end, except where an arrow, not the bar, reaches the edge of the plot."""
    caps = "".join(
        [
            f"M{number(x)} {number(mark.y - 3)}V{number(mark.y + 3)}"
            for x, clipped in ((mark.low, mark.clipped_low), (mark.high, mark.clipped_high))
            if not clipped
        ]
    )
    start, end = number(mark.low + 4 * mark.clipped_low), number(mark.high - 4 * mark.clipped_high)
    return f'<path d="M{start} {number(mark.y)}H{end}{caps}"/>'


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
        tone = TONES[sign]
        words = dot.judgement or "not judged"
        drawing.circle(dot.x, dot.y, 0.6 * size, fill=ink[tone], stroke=ink["line"], stroke_width=0.6, full=words)
        if len(sign) > 1:
            drawing.text(dot.x, dot.y + 0.22 * size, sign, anchor="middle", bold=True, size=0.62 * size)
        elif sign:
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


def _texts(layout: Layout) -> list[str]:
    """All texts, in the order of the layout, which is that of reading."""
    written: list[str] = []
    alone: list[Text] = []
    usual: list[Line] = []  # rows with a text in every column, as nearly all are
    for one in layout.written:
        if type(one) is Text or one[3] or not one[1] or "" in one[2]:  # type: ignore[index]
            if usual:
                written += _lines(layout, usual)
                usual = []
            if type(one) is Text:
                alone.append(one)
            else:
                alone += layout.texts_of(one)
        else:
            if alone:
                written += _alone(alone)
                alone = []
            usual.append(one)  # type: ignore[arg-type]
    if usual:
        written += _lines(layout, usual)
    return written + _alone(alone)


def _alone(texts: list[Text]) -> list[str]:
    """Texts one by one; what most of them do not have is asked once for all."""
    whole = "".join([text.text for text in texts])
    special = [text for text in texts if text.size or text.full is not None or text.link is not None]
    if special or escape(whole) is not whole:
        return list(map(_text, texts))
    return [
        f'<text x="{number(text.x)}" y="{number(text.y)}"{_STYLES[text.anchor, text.bold]}>{text.text}</text>\n'
        for text in texts
    ]


def _lines(layout: Layout, lines: list[Line]) -> list[str]:
    """Rows that differ in their texts and y alone, written column by column."""
    ys, labels, cells, _ = zip(*lines, strict=True)
    y = list(map(number, ys))
    pieces: list[Iterable[str]] = []
    for (x, anchor), column in zip(
        [(layout.margin, "start"), *layout.places], [labels, *zip(*cells, strict=True)], strict=True
    ):
        whole = "".join(column)
        texts = column if escape(whole) is whole else map(escape, column)
        pieces += [
            repeat(f'<text x="{number(x)}" y="'),
            y,
            repeat(f'"{_STYLES[anchor, False]}>'),
            texts,
            repeat("</text>\n"),
        ]
    return list(map("".join, zip(*pieces, strict=False)))


def _text(text: Text) -> str:
    start = f'<text x="{number(text.x)}" y="{number(text.y)}"{_STYLES[text.anchor, text.bold]}'
    if not text.size and text.full is None and text.link is None:
        return f"{start}>{escape(text.text)}</text>\n"
    if text.size:
        start += f' font-size="{number(text.size)}"'
    tip = "" if text.full is None else f"<title>{escape(text.full)}</title>"
    one = f"{start}>{tip}{escape(text.text)}</text>"
    return f'<a href="{escape(safe_link(text.link))}">{one}</a>\n' if text.link else one + "\n"
