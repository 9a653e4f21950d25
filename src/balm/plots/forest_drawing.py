"""An arranged forest plot drawn, back to front: lines, squares, diamonds, dots, then every text."""

from __future__ import annotations

from balm.plots.figure import Figure
from balm.plots.forest_options import ForestOptions
from balm.plots.forest_placed import Layout, Line, Mark, Text
from balm.plots.risk_of_bias_signs import SIGNS
from balm.plots.svg import Drawing, number

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
    _texts(drawing, layout)
    return drawing.figure()


def _marks(drawing: Drawing, layout: Layout, ink: dict[str, str]) -> None:
    left, right = layout.axis.start, layout.axis.end
    arrows: list[tuple[float, float, int]] = []  # y, x, and which way they point
    if layout.squares:
        ys, _, lows, highs, halves, cut_low, cut_high = zip(*layout.squares, strict=True)
        # An estimate off the axis has no square.
        seen = layout.squares if all(halves) else [study for study in layout.squares if study[4]]
        drawing.squares(
            [study[1] - study[4] for study in seen],
            [study[0] - study[4] for study in seen],
            [2 * study[4] for study in seen],
            fill=ink["square"],
        )
        drawing.levels(lows, ys, highs, stroke=ink["interval"], width=1.1)
        arrows += [(y, left, -1) for y, cut in zip(ys, cut_low, strict=True) if cut]
        arrows += [(y, right, 1) for y, cut in zip(ys, cut_high, strict=True) if cut]
    bars: list[str] = []
    diamonds: list[str] = []
    for mark in layout.shapes:
        inset = 0.0
        if mark.kind == "diamond":
            diamonds.append(_diamond(mark, left, right))
            inset = 6.5
        else:
            bars.append(_bar(mark))
        if mark.clipped_low:
            arrows.append((mark.y, left - inset, -1))
        if mark.clipped_high:
            arrows.append((mark.y, right + inset, 1))
    drawing.paths(bars, stroke=ink["bar"], width=2.2)
    drawing.paths(diamonds, fill=ink["diamond"])
    drawing.paths([_arrow(x, y, way) for y, x, way in sorted(arrows)], fill=ink["interval"])


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
    return f"M{start} {number(mark.y)}H{end}{caps}"


def _arrow(x: float, y: float, way: int) -> str:
    """An arrow head with its point at (x, y), pointing left (-1) or right (1)."""
    back = number(x - 5.5 * way)
    return f"M{number(x)} {number(y)}L{back} {number(y - 3.5)}V{number(y + 3.5)}Z"


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
    signs = [SIGNS.get(dot.judgement, "") for dot in layout.dots]
    for dot, sign in zip(layout.dots, signs, strict=True):
        words = dot.judgement or "not judged"
        drawing.circle(
            dot.x, dot.y, 0.6 * size, fill=ink[TONES[sign]], stroke=ink["line"], stroke_width=0.6, full=words
        )
    for dot, sign in zip(layout.dots, signs, strict=True):
        if len(sign) > 1:
            drawing.text(dot.x, dot.y + 0.22 * size, sign, anchor="middle", bold=True, size=0.62 * size)
        elif sign:
            drawing.text(dot.x, dot.y + 0.35 * size, sign, anchor="middle", bold=True)


def _texts(drawing: Drawing, layout: Layout) -> None:
    """All texts, in the order of the layout, which is that of reading."""
    usual: list[Line] = []  # rows with a text in every column, as nearly all are
    for one in layout.written:
        if isinstance(one, Text) or one[3] or not one[1] or "" in one[2]:
            if usual:
                _table(drawing, layout, usual)
                usual = []
            for text in layout.texts_of(one):
                _text(drawing, text)
        else:
            usual.append(one)
    if usual:
        _table(drawing, layout, usual)


def _table(drawing: Drawing, layout: Layout, lines: list[Line]) -> None:
    """Rows that differ in their texts and y alone."""
    ys, labels, cells, _ = zip(*lines, strict=True)
    columns = [(layout.margin, "start", labels)]
    columns += [(x, anchor, texts) for (x, anchor), texts in zip(layout.places, zip(*cells, strict=True), strict=True)]
    drawing.table(ys, columns)


def _text(drawing: Drawing, text: Text) -> None:
    if text.link:
        drawing.open_link(text.link)
    drawing.text(text.x, text.y, text.text, anchor=text.anchor, bold=text.bold, size=text.size or None, full=text.full)
    if text.link:
        drawing.close_link()
