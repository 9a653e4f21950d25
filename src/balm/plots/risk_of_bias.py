"""Risk of bias by study and domain as a table of lights with signs, and as bars over all studies.

A judgement that was not made leaves no light. Colour never stands alone: each light carries the sign of its judgement,
and a key names them. A word that is no judgement of a known instrument is printed instead of being given a colour.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from balm.plots.figure import Figure
from balm.plots.risk_of_bias_lights import (
    LIGHTS,
    NOT_JUDGED,
    PALETTES,
    QUIET,
    RULE,
    Light,
    draw_key,
    draw_light,
    key_lines,
)
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, text_width, widest, wrap
from balm.review.risk_of_bias.plain_table import BiasTable, bias_table, risk_of_bias_shares
from balm.review.risk_of_bias.words import JUDGEMENTS, OVERALL
from balm.vocabulary.evidence import BiasJudgement
from balm.vocabulary.problems import InputError, check_option

__all__ = ["KINDS", "LIGHTS", "risk_of_bias_figure", "risk_of_bias_plot"]

SIZE, TITLE, ROW, CELL, BAR = 12.0, 15.0, 30.0, 92.0, 24.0
#: The two forms: a light for each study and domain, or a bar for each domain over all studies.
KINDS = ("traffic-light", "summary")


@dataclass(frozen=True, slots=True)
class _Cell:
    """One judgement as drawn: its word, and what shows on hovering."""

    word: str
    tip: str


def risk_of_bias_plot(
    data: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    kind: str = "traffic-light",
    tool: str | None = None,
    overall: bool = True,
    weighted: bool | None = None,
    palette: str = "cochrane",
    title: str | None = None,
    width: float | None = None,
) -> Figure:
    """Draw a table ``Study, D1 ... Dn, Overall, Weight`` of judgements, as lights or as bars.

    data     : path of a CSV file, data frame, dict of columns or list of dicts; columns other than ``Study``,
               ``Overall`` and ``Weight`` are domains. Judgements are the words of RoB 1 and 2, ROBINS-I, ROBINS-E,
               QUADAS-2, QUIPS and the JBI lists, in any case, with or without "risk"; an empty cell is a judgement that
               was not made.
    path     : where to keep the figure; .svg, .png or .pdf.
    kind     : "traffic-light" (studies down, domains across) or "summary" (a bar for each domain).
    tool     : "RoB 2", "RoB 2 cluster", "RoB 2 crossover", "ROBINS-I", "ROBINS-I V2", "ROBINS-E", "QUADAS-2" or
               "QUIPS": names the domains D1, D2 ..., and refuses words and domains that the tool does not have.
    overall  : with the overall judgements, where the table has them.
    weighted : summary only: bars by weight in the meta-analysis (column ``Weight``) instead of by number of studies;
               by default where the table has weights.
    palette  : "cochrane" or "colour-blind".
    width    : of the summary's bars and labels together, in pixels.

    :func:`balm.risk_of_bias_shares` gives the numbers behind the bars.

    >>> table = {"Study": ["A", "B"], "D1": ["Low", "High"], "Overall": ["Low", "High"]}
    >>> risk_of_bias_plot(table, kind="summary").description
    'D1: 50% low, 50% high; Overall: 50% low, 50% high. Studies counted equally (2 studies).'
    """
    check_option("kind", kind, KINDS)
    lights = PALETTES[check_option("palette", palette, tuple(PALETTES))]
    table = bias_table(data, tool=tool)
    if kind == "summary":
        figure = _bars(table, lights, overall, weighted, title, 640.0 if width is None else width)
    elif weighted is not None or width is not None:
        name = "weighted" if weighted is not None else "width"
        raise InputError(f"{name} belongs to kind='summary'; a traffic light shows each study and has no use for it")
    else:
        figure = _lights_of_table(table, lights, overall, title)
    if path is not None:
        figure.save(path)
    return figure


def risk_of_bias_figure(
    judgements: Sequence[BiasJudgement],
    path: str | os.PathLike[str] | None = None,
    *,
    labels: dict[str, str] | None = None,
    title: str | None = None,
    palette: str = "cochrane",
) -> Figure:
    """Draw the judgements of a review, studies down and domains across in first-seen order, the overall one last.

    ``labels`` names a study by its id. Two judgements of one study and domain (for two results) are drawn side by side.
    """
    if not judgements:
        raise InputError("there is no risk-of-bias judgement to draw")
    names = labels or {}
    domains = sorted(dict.fromkeys(j.domain for j in judgements), key=lambda d: d.lower() == "overall")
    cells: dict[tuple[str, str], list[_Cell]] = {}
    for j in judgements:
        tip = f"{j.domain}: {j.judgement}" + (f". {j.reason}" if j.reason else "")
        cells.setdefault((j.study, j.domain), []).append(_Cell(j.judgement.lower(), tip))
    studies = list(dict.fromkeys(j.study for j in judgements))
    said = "; ".join(f"{names.get(j.study, j.study)}, {j.domain}: {j.judgement}" for j in judgements)
    figure = _grid(
        [names.get(s, s) for s in studies],
        domains,
        lambda row, column: cells.get((studies[row], domains[column]), []),
        PALETTES[check_option("palette", palette, tuple(PALETTES))],
        title,
        f"Judgements made: {said}.",
    )
    if path is not None:
        figure.save(path)
    return figure


def _lights_of_table(table: BiasTable, lights: Mapping[str, Light], overall: bool, title: str | None) -> Figure:
    columns = table.columns(overall)

    def cells(row: int, column: int) -> list[_Cell]:
        name, words = columns[column]
        word = words[row]
        return [] if word is None else [_Cell(word, f"{table.studies[row]}, {name}: {word}")]

    said = "; ".join(
        f"{study}: " + ", ".join(f"{name} {words[i] or NOT_JUDGED}" for name, words in columns)
        for i, study in enumerate(table.studies)
    )
    return _grid(list(table.studies), [name for name, _ in columns], cells, lights, title, f"{said}.")


def _grid(
    rows: list[str],
    heads: list[str],
    cells: Callable[[int, int], list[_Cell]],
    lights: Mapping[str, Light],
    title: str | None,
    description: str,
) -> Figure:
    left = 16 + min(260.0, max(70.0, widest(rows, SIZE)))
    wrapped = [wrap(head, CELL - 10, 11, lines=5) for head in heads]
    head = 15.0 * max(len(h) for h in wrapped)
    used = {cell.word for i in range(len(rows)) for j in range(len(heads)) for cell in cells(i, j)}
    seen = [word for word in JUDGEMENTS if word in used]
    width = max(left + CELL * len(heads) + 10, 360.0)
    keys = key_lines(seen, width - 20)
    titles = [] if title is None else wrap(title, width - 20, TITLE, bold=True, lines=3)
    top = 12.0 if title is None else 22.0 + 20 * len(titles)
    first = top + head + 8
    end = first + ROW * len(rows)
    drawing = Drawing(
        width, end + 14 + 20 * len(keys), title=title or "Risk of bias", description=description, font_size=SIZE,
        ink="#1b232d",
    )  # fmt: skip
    for n, line in enumerate(titles):
        drawing.text(10, 24 + 20 * n, line, bold=True, size=TITLE, full=title if n == 0 else None)
    for i, lines in enumerate(wrapped):
        last = heads[i].lower() == OVERALL.lower()
        for n, line in enumerate(lines):
            y = top + head - 15 * (len(lines) - 1 - n)
            fill = None if last else QUIET
            drawing.text(left + CELL * (i + 0.5), y, line, anchor="middle", size=11, bold=last, fill=fill)
        if last and i:
            drawing.line(left + CELL * i, top, left + CELL * i, end, stroke=RULE)
    for row, name in enumerate(rows):
        y = first + ROW * row
        drawing.line(10, y, width - 10, y, stroke=RULE)
        lines = wrap(name, left - 16, SIZE, lines=2)
        for n, line in enumerate(lines):
            at = y + ROW / 2 + 4 + 13 * (n - (len(lines) - 1) / 2)
            drawing.text(10, at, line, full=name if n == 0 and len(lines) > 1 else None)
        for column in range(len(heads)):
            here = cells(row, column)
            for n, cell in enumerate(here):
                x = left + CELL * (column + (n + 1) / (len(here) + 1))
                if light := lights.get(cell.word):
                    draw_light(drawing, light, x, y + ROW / 2, tip=cell.tip)
                else:
                    said = fit(cell.word, CELL - 8, 11)
                    drawing.text(x, y + ROW / 2 + 4, said, anchor="middle", size=11, full=cell.tip)
    draw_key(drawing, keys, lights, 10, end + 18)
    return drawing.figure()


def _bars(
    table: BiasTable,
    lights: Mapping[str, Light],
    overall: bool,
    weighted: bool | None,
    title: str | None,
    width: float,
) -> Figure:
    shares = risk_of_bias_shares(table, weighted=weighted, overall=overall)
    by_weight = bool(table.weights) if weighted is None else weighted
    count = f"{len(table.studies)} {'study' if len(table.studies) == 1 else 'studies'}"
    how = f"Weighted by the meta-analysis ({count})." if by_weight else f"Studies counted equally ({count})."
    if width < 320:
        raise InputError(f"width must be 320 or more, to hold labels and bars; got {width:g}")
    left = 26 + min(0.45 * width, max(30.0, widest(list(shares), SIZE)))
    labels = [wrap(name, left - 18, SIZE, lines=2) for name in shares]
    plot = width - left - 24
    seen = [w for w in (*JUDGEMENTS, NOT_JUDGED) if any(w in own for own in shares.values())]
    keys = key_lines(seen, width - 20)
    titles = [] if title is None else wrap(title, width - 20, TITLE, bold=True, lines=3)
    top = 14.0 if title is None else 26.0 + 20 * len(titles)
    step = BAR + 14
    end = top + step * len(shares)
    said = "; ".join(f"{name}: {', '.join(f'{v:.0f}% {w}' for w, v in own.items())}" for name, own in shares.items())
    drawing = Drawing(
        width, end + 66 + 20 * len(keys), title=title or "Risk of bias, summary", description=f"{said}. {how}",
        font_size=SIZE, ink="#1b232d",
    )  # fmt: skip
    for n, line in enumerate(titles):
        drawing.text(10, 24 + 20 * n, line, bold=True, size=TITLE, full=title if n == 0 else None)
    for row, (name, own) in enumerate(shares.items()):
        y = top + step * row
        for n, line in enumerate(labels[row]):
            at = y + BAR / 2 + 4 + 14 * (n - (len(labels[row]) - 1) / 2)
            drawing.text(left - 10, at, line, anchor="end", bold=name == OVERALL)
        x = left
        for word in seen:
            share = own.get(word, 0.0)
            if share:
                _segment(drawing, lights[word], x, y, plot * share / 100, f"{name}: {share:.1f}% {word}", share)
                x += plot * share / 100
    for tick in range(0, 101, 25):
        x = left + plot * tick / 100
        drawing.line(x, end, x, end + 4, stroke=QUIET)
        drawing.text(x, end + 18, f"{tick}%", anchor="middle", size=11, fill=QUIET)
    drawing.line(left, end, left + plot, end, stroke=QUIET)
    drawing.text(10, end + 40, how, size=11, fill=QUIET)
    draw_key(drawing, keys, lights, 10, end + 62)
    return drawing.figure()


def _segment(drawing: Drawing, light: Light, x: float, y: float, width: float, tip: str, share: float) -> None:
    """A part of a bar, with its sign and per cent where there is room for them."""
    drawing.rect(
        x, y, width, BAR, fill=light.fill, stroke="#ffffff" if light.stroke is None else light.stroke, full=tip
    )
    for text in (f"{light.sign} {share:.0f}%".strip(), light.sign):
        if text and text_width(text, 11) + 6 <= width:
            drawing.text(x + width / 2, y + BAR / 2 + 4, text, anchor="middle", bold=True, size=11, fill=light.ink)
            return
