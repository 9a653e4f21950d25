"""Risk of bias by study and domain, as a table of lights with signs; a judgement that was not made leaves no light.

Colour never stands alone: each light carries the sign of its judgement, and a key names them. Judgement words are those
of RoB 2, ROBINS-I and the first Cochrane tool; any other word is printed as it is instead of being given a colour.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from balm.plots.figure import Figure
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, text_width, widest, wrap
from balm.vocabulary.evidence import BiasJudgement
from balm.vocabulary.problems import InputError

INK, QUIET, RULE = "#1b232d", "#5b6673", "#d7dce1"
SIZE, ROW, CELL = 12.0, 30.0, 92.0


@dataclass(frozen=True, slots=True)
class Light:
    """The look of a judgement: its fill, the sign inside it and the colour of the sign."""

    fill: str
    sign: str
    ink: str = "#ffffff"


LIGHTS = {
    "low": Light("#1f6e43", "+"),
    "some concerns": Light("#f2c94c", "−", INK),
    "unclear": Light("#f2c94c", "?", INK),
    "moderate": Light("#f2c94c", "−", INK),
    "high": Light("#b3261e", "×"),
    "serious": Light("#b3261e", "×"),
    "critical": Light("#6d0f10", "!"),
    "no information": Light("#8a939d", "?", INK),
}


def risk_of_bias_figure(
    judgements: Sequence[BiasJudgement],
    path: str | os.PathLike[str] | None = None,
    *,
    labels: dict[str, str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw every judgement, studies down and domains across in first-seen order.

    ``labels`` names a study by its id. Two judgements of one study and domain (for two results) are drawn side by side.
    """
    if not judgements:
        raise InputError("there is no risk-of-bias judgement to draw")
    names = labels or {}
    studies = list(dict.fromkeys(j.study for j in judgements))
    domains = list(dict.fromkeys(j.domain for j in judgements))
    left = 16 + min(260.0, max(70.0, widest([names.get(s, s) for s in studies], SIZE)))
    heads = [wrap(domain, CELL - 10, 11, lines=4) for domain in domains]
    head = 15.0 * max(len(h) for h in heads)
    seen = [word for word in LIGHTS if any(j.judgement.lower() == word for j in judgements)]
    width = max(left + CELL * len(domains) + 10, 360.0)
    keys = _key_lines(seen, width - 20)
    top = 12.0 if title is None else 42.0
    first = top + head + 8
    height = first + ROW * len(studies) + 14 + 20 * len(keys)
    said = "; ".join(f"{names.get(j.study, j.study)}, {j.domain}: {j.judgement}" for j in judgements)
    drawing = Drawing(
        width, height, title=title or "Risk of bias", description=f"Judgements made: {said}.", font_size=SIZE, ink=INK
    )
    if title is not None:
        drawing.text(10, 24, fit(title, width - 20, 15, bold=True), bold=True, size=15)
    for i, lines in enumerate(heads):
        for n, line in enumerate(lines):
            y = top + head - 15 * (len(lines) - 1 - n)
            drawing.text(left + CELL * (i + 0.5), y, line, anchor="middle", size=11, fill=QUIET)
    for row, study in enumerate(studies):
        y = first + ROW * row
        drawing.line(10, y, width - 10, y, stroke=RULE)
        drawing.text(10, y + ROW / 2 + 4, fit(names.get(study, study), left - 16, SIZE))
        for column, domain in enumerate(domains):
            here = [j for j in judgements if j.study == study and j.domain == domain]
            for n, judgement in enumerate(here):
                x = left + CELL * (column + (n + 1) / (len(here) + 1))
                _light(drawing, judgement, x, y + ROW / 2)
    for i, line in enumerate(keys):
        x, y = 10.0, first + ROW * len(studies) + 18 + 20 * i
        for word in line:
            light = LIGHTS[word]
            drawing.circle(x + 8, y, 8, fill=light.fill)
            drawing.text(x + 8, y + 4.5, light.sign, anchor="middle", bold=True, fill=light.ink)
            drawing.text(x + 22, y + 4, word, size=11)
            x += 22 + text_width(word, 11) + 22
    figure = drawing.figure()
    if path is not None:
        figure.save(path)
    return figure


def _key_lines(words: list[str], room: float) -> list[list[str]]:
    lines: list[list[str]] = []
    used = room
    for word in words:
        step = 44 + text_width(word, 11)
        if used + step > room:
            lines.append([])
            used = 0.0
        lines[-1].append(word)
        used += step
    return lines


def _light(drawing: Drawing, judgement: BiasJudgement, x: float, y: float) -> None:
    tip = f"{judgement.domain}: {judgement.judgement}" + (f". {judgement.reason}" if judgement.reason else "")
    light = LIGHTS.get(judgement.judgement.lower())
    if light is None:
        drawing.text(x, y + 4, fit(judgement.judgement, CELL - 8, 11), anchor="middle", size=11, full=tip)
        return
    drawing.circle(x, y, 10, fill=light.fill, full=tip)
    drawing.text(x, y + 4.5, light.sign, anchor="middle", bold=True, fill=light.ink)
