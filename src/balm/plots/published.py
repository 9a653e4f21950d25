"""Published pooled results beside our own, one panel a measure and outcome, each with its own axis.

A panel holds what can stand on one axis. Proportions of single-arm series get a panel of their own and say so: they
have no control group and must not be read against a ratio or a difference.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp, isfinite, log

from balm.plots.axis import Axis, linear_axis, log_axis
from balm.plots.figure import Figure
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width, wrap
from balm.vocabulary.numbers import MINUS, fixed, interval
from balm.vocabulary.problems import InputError

INK, QUIET, MARK, OWN, RULE = "#1b232d", "#5b6673", "#17577a", "#e8f0f4", "#c3ccd4"
MID_COLOUR = "#8a4200"
SIZE, ROW = 11.5, 23.0
LINE = 14.0  # from line to line of a text that is wrapped
WIDTH = 900.0
#: Left edges of the columns: name, time point, trials, people, the plot, the numbers.
NAME, TIME, TRIALS, PEOPLE, PLOT, NUMBERS = 10.0, 188.0, 312.0, 426.0, 526.0, 776.0


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One pooled result as drawn. ``own`` marks a result of this review, ``single`` one trial that was not pooled."""

    name: str
    time: str
    trials: str
    people: str
    estimate: float
    low: float
    high: float
    own: bool = False
    single: bool = False
    address: str = ""  # where a click leads: the row's line in the table
    outcome: str = ""  # in a panel of several outcomes: the sub-heading under which the row stands


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows that share an axis; ``ratio`` spaces it by logarithm. ``important`` is drawn with its source in words."""

    title: str
    axis: str
    rows: tuple[PublishedRow, ...]
    ratio: bool = False
    null: float | None = 0.0
    important: float | None = None  # a minimal important difference, on the panel's scale
    important_source: str = ""
    favours: tuple[str, str] | None = None
    note: str = ""
    digits: int = 2
    limits: tuple[float, float] | None = None  # ends of the axis, where they are given by nature (0 to 100 per cent)


def published_figure(
    panels: Sequence[Panel], path: str | os.PathLike[str] | None = None, *, title: str | None = None
) -> Figure:
    """Draw ``panels`` one above the other, and write the figure to ``path`` when one is given.

    >>> row = PublishedRow("Orhurhu 2019", "up to 2 weeks", "not stated", "211", -1.83, -2.35, -1.31)
    >>> "Orhurhu 2019" in published_figure([Panel("Pain", "Mean difference (0-10)", (row,))]).svg
    True
    """
    panels = [p for p in panels if p.rows]
    if not panels:
        raise InputError("there is no pooled result with an estimate and an interval to draw")
    for row in (row for panel in panels for row in panel.rows):
        if not all(map(isfinite, (row.estimate, row.low, row.high))) or not row.low <= row.estimate <= row.high:
            raise InputError(f"{row.name}: estimate {row.estimate!r} must lie within {row.low!r} to {row.high!r}")
    top = 12.0 if title is None else 44.0
    notes = [_notes(panel) for panel in panels]
    heights = [_height(panel, len(note)) for panel, note in zip(panels, notes, strict=True)]
    heading = title or "Published pooled results beside this review"
    drawing = Drawing(
        WIDTH, top + sum(heights), title=heading, description=_description(panels), font_size=SIZE, ink=INK
    )
    if title is not None:
        drawing.text(NAME, 24, title, bold=True, size=15)
    for panel, note, height in zip(panels, notes, heights, strict=True):
        _panel(drawing, panel, note, top)
        top += height
    figure = drawing.figure()
    if path is not None:
        figure.save(path)
    return figure


def _notes(panel: Panel) -> list[str]:
    texts = []
    if panel.important is not None:
        source = f" Source: {panel.important_source}." if panel.important_source else ""
        value = fixed(panel.important, panel.digits, minus=MINUS)
        texts.append(f"Dashed line: minimal important difference {value}.{source}".replace("..", "."))
    if panel.note:
        texts.append(panel.note)
    return [line for text in texts for line in wrap(text, WIDTH - NAME - 20, SIZE - 0.5, lines=3)]


def _height(panel: Panel, notes: int) -> float:
    return 44 + sum(_heights(panel)) + 44 + (14 if panel.favours else 0) + 15 * notes + 22


def _heights(panel: Panel) -> list[float]:
    """The height of each row, with its sub-heading where one stands above it."""
    return [ROW + LINE * (_lines(row) - 1) + (ROW if head else 0) for row, head in _headed(panel)]


def _headed(panel: Panel) -> list[tuple[PublishedRow, str]]:
    """Each row with the sub-heading above it: its outcome, where the row before has another."""
    before = ("", *(row.outcome for row in panel.rows))
    return [(row, row.outcome if row.outcome != last else "") for row, last in zip(panel.rows, before, strict=False)]


def _texts(row: PublishedRow) -> list[tuple[float, list[str]]]:
    """The columns of words: where each begins, and its lines. Nothing is cut short."""
    return [
        (NAME, whole(row.name, TIME - NAME - 10, bold=row.own)),
        (TIME, whole(row.time, TRIALS - TIME - 10)),
        (TRIALS, whole(row.trials, PEOPLE - TRIALS - 8)),
        (PEOPLE, whole(row.people, PLOT - PEOPLE - 10)),
    ]


def _lines(row: PublishedRow) -> int:
    return max(len(lines) for _, lines in _texts(row))


def whole(text: str, width: float, *, bold: bool = False) -> list[str]:
    """All of ``text`` in lines of ``width``, broken at spaces; a word wider than a line is broken within the word.

    >>> whole("up to 1 week, 1 to 4 weeks", 80)
    ['up to 1 week, 1', 'to 4 weeks']
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, SIZE, bold=bold) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and text_width(lines[-1] + letter, SIZE, bold=bold) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def _axis(panel: Panel) -> Axis:
    low, high = panel.limits or _reach(panel)
    if panel.ratio:
        stretch = (high / low) ** 0.04
        return log_axis(low / stretch, high * stretch, start=PLOT, end=NUMBERS - 22, count=6)
    pad = 0.0 if panel.limits else 0.04 * (high - low)
    return linear_axis(low - pad, high + pad, start=PLOT, end=NUMBERS - 22, count=5)


def _reach(panel: Panel) -> tuple[float, float]:
    """Ends that hold every estimate and all but intervals far wider than the rest: those end in arrows.

    "Far" is three times the middle distance between an estimate and its ends, measured along the axis.
    """
    if panel.ratio and min(row.low for row in panel.rows) <= 0:
        raise InputError(f"{panel.title}: a ratio must be above 0; got {min(row.low for row in panel.rows)!r}")

    def along(x: float) -> float:
        return log(x) if panel.ratio else x

    arms = sorted(along(b) - along(a) for row in panel.rows for a, b in pairwise((row.low, row.estimate, row.high)))
    far = 3 * arms[len(arms) // 2]
    lows = [max(along(row.low), along(row.estimate) - far) for row in panel.rows]
    highs = [min(along(row.high), along(row.estimate) + far) for row in panel.rows]
    marks = [along(v) for v in (panel.null, panel.important) if v is not None]
    low, high = min(lows + marks), max(highs + marks)
    return (exp(low), exp(high)) if panel.ratio else (low, high)


def _panel(drawing: Drawing, panel: Panel, notes: list[str], top: float) -> None:
    axis = _axis(panel)
    drawing.open_group(panel.title)
    drawing.text(NAME, top + 13, panel.title, bold=True, size=13)
    head = top + 34
    for x, text in ((NAME, "Source"), (TIME, "Time point"), (TRIALS, "Trials"), (PEOPLE, "People")):
        drawing.text(x, head, text, fill=QUIET)
    drawing.text(WIDTH - 10, head, "Estimate [95% CI]", fill=QUIET, anchor="end")
    heights, headed = _heights(panel), _headed(panel)
    first = head + 10
    ends = [first + height for height in accumulate(heights)]
    last = ends[-1]
    tops = [end - height + (ROW if said else 0) for end, height, (_, said) in zip(ends, heights, headed, strict=True)]
    for row, start, end in zip(panel.rows, tops, ends, strict=True):
        if row.own:
            drawing.rect(NAME - 4, start, WIDTH - 2 * (NAME - 4), end - start, fill=OWN)
    drawing.line(NAME - 4, first, WIDTH - NAME + 4, first, stroke=RULE)
    if panel.null is not None and axis.holds(panel.null):
        drawing.line(axis.position(panel.null), first, axis.position(panel.null), last, stroke=QUIET)
    if panel.important is not None:
        x = axis.position(panel.important)
        drawing.line(x, first, x, last, stroke=MID_COLOUR, dash="4 3")
    for (row, said), start in zip(headed, tops, strict=True):
        if said:
            drawing.text(NAME, start - ROW / 2 + 5, said, bold=True)
        _row(drawing, panel, row, axis, start + ROW / 2)
    drawing.line(axis.start, last, axis.end, last, stroke=INK)
    for tick in axis.ticks:
        x = axis.position(tick)
        drawing.line(x, last, x, last + 4, stroke=INK)
        drawing.text(x, last + 17, axis.label(tick), anchor="middle", size=11)
    y = last + 33
    if panel.favours:
        middle = axis.position(panel.null) if panel.null is not None else (axis.start + axis.end) / 2
        drawing.text(middle - 8, y, f"← {panel.favours[0]}", anchor="end", size=11)
        drawing.text(middle + 8, y, f"{panel.favours[1]} →", size=11)
        y += 14
    drawing.text((axis.start + axis.end) / 2, y, panel.axis, anchor="middle", size=11, fill=QUIET)
    for i, line in enumerate(notes):
        drawing.text(NAME, y + 20 + 15 * i, line, size=SIZE - 0.5, fill=QUIET)
    drawing.close_group()


def _row(drawing: Drawing, panel: Panel, row: PublishedRow, axis: Axis, y: float) -> None:
    base = y + 4
    name, *others = _texts(row)
    if row.address:
        drawing.open_link(row.address)
    for i, line in enumerate(name[1]):
        drawing.text(NAME, base + LINE * i, line, bold=row.own, fill=MARK if row.address else None)
    if row.address:
        drawing.close_link()
    for x, lines in others:
        for i, line in enumerate(lines):
            drawing.text(x, base + LINE * i, line)
    shown = f"{fixed(row.estimate, panel.digits, minus=MINUS)} {interval(row.low, row.high, panel.digits, minus=MINUS)}"
    drawing.text(WIDTH - 10, base, shown, anchor="end", bold=row.own)
    colour = MARK if row.own else INK
    drawing.line(axis.position(row.low), y, axis.position(row.high), y, stroke=colour, width=1.4)
    for end, sign in ((row.low, 1), (row.high, -1)):
        x = axis.position(end)
        if axis.holds(end):
            drawing.line(x, y - 3.5, x, y + 3.5, stroke=colour, width=1.4)
        else:
            drawing.polygon([(x, y), (x + sign * 6, y - 3.5), (x + sign * 6, y + 3.5)], fill=colour)
    x = axis.position(row.estimate)
    if row.own and not row.single:
        drawing.polygon([(x - 7, y), (x, y - 6), (x + 7, y), (x, y + 6)], fill=colour)
    elif row.single:
        drawing.rect(x - 4, y - 4, 8, 8, fill="#ffffff", stroke=colour, stroke_width=1.6)
    else:
        drawing.circle(x, y, 4.2, fill=colour)


def _description(panels: Sequence[Panel]) -> str:
    parts = []
    for panel in panels:
        rows = "; ".join(
            f"{f'{row.outcome}, ' if row.outcome else ''}{row.name} ({row.time}) {fixed(row.estimate, panel.digits)} "
            f"{interval(row.low, row.high, panel.digits)}"
            for row in panel.rows
        )
        parts.append(f"{panel.title}, {panel.axis}: {rows}.")
    return " ".join(parts)
