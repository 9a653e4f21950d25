"""Plasma concentration of a planned infusion: several models as a band, with the ranges of observed effects."""

from __future__ import annotations

import os
from collections.abc import Sequence

from balm.guidance.curves import Curves
from balm.guidance.pharmacokinetics import Effect, Kinetics
from balm.guidance.scheme import Scheme
from balm.plots.figure import Figure
from balm.plots.panel import ALARM, BAND, INK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import wrap
from balm.vocabulary.problems import InputError

#: Stroke and dash of each model in turn, apart by more than their colour.
LINES: tuple[tuple[str, str | None], ...] = (
    ("#17577a", None), ("#7a4b17", "7 3"), ("#3c6e2f", "2 3"), ("#6a3d7c", "9 3 2 3"), ("#55606d", "4 2"),
)  # fmt: skip
_LINE = 15.0


def concentration_figure(
    curves: Curves,
    kinetics: Kinetics,
    scheme: Scheme,
    *,
    weight: float,
    path: str | os.PathLike[str] | None = None,
    width: float = 820.0,
) -> Figure:
    """Draw the curves over the infusion and half as long again, with what they cannot show written below.

    Nothing is drawn during a bolus nor in the minutes after it. Effect ranges stand beside the axis, in ng/mL, where
    they lie within it; a range that belongs to no concentration of the day is not drawn.
    """
    if not curves.curves:
        raise InputError("there is no verified model to draw")
    drawn = curves.curves
    most = max((v for c in drawn for v, seen in zip(c.values, curves.shown, strict=True) if seen), default=0.0)
    effects = [e for e in kinetics.effects if e.drawn and e.verified and e.low < most * 1.3]
    top = max([most, *(e.high for e in effects if e.high is not None and e.high < most * 1.6)]) * 1.06 or 1.0
    notes = _notes(curves, kinetics, width - 48)
    legend = len(drawn) + len(effects) + 1
    panel_bottom = 362.0
    height = panel_bottom + 62 + _LINE * (legend + sum(len(n) for n in notes) + 2)
    ends = "; ".join(f"{c.model.name} {c.at_end:.0f}" for c in drawn)
    title, plan = "Estimated plasma concentration", "; then ".join(s.said for s in scheme.segments)
    drawing = Drawing(
        width, height, title=title, ink=INK,
        description=(
            f"{plan} at {weight:g} kg. At the end of the infusion, ng/mL: {ends}. "
            f"Reference curves only. {' '.join(kinetics.cannot_show)}"
        ),
    )  # fmt: skip
    panel = Panel((64.0, 58.0, width - 36.0 - 34.0 * len(effects), panel_bottom), (0.0, curves.times[-1]), (0.0, top))
    heading(drawing, f"{title}, {weight:g} kg", 24, width - 24)
    drawing.text(24, 40, wrap(plan, width - 48, 11.5, lines=1)[0], size=11.5, fill=QUIET)
    _effect_levels(drawing, panel, effects, top)
    for run in _runs(curves.shown):
        low = [(curves.times[i], curves.band[i][0]) for i in run]
        high = [(curves.times[i], curves.band[i][1]) for i in run]
        panel.band(drawing, low, high, BAND)
    _effect_lines(drawing, panel, effects)
    for number, curve in enumerate(drawn):
        stroke, dash = LINES[number % len(LINES)]
        for run in _runs(curves.shown):
            line = [(curves.times[i], curve.values[i]) for i in run]
            panel.curve(drawing, line, stroke=stroke, width=2.0 if curve.of_form else 1.2, dash=dash)
    end = float(scheme.duration.value)
    x = panel.across.position(end)
    drawing.line(x, panel.top, x, panel.bottom, stroke=QUIET, dash="1 3")
    drawing.text(x + 4, panel.top + 10, "end of the infusion", size=11, fill=QUIET)
    panel.frame(drawing, "Hours from the start", "Plasma concentration, ng/mL")
    y = panel.bottom + 62
    for number, curve in enumerate(drawn):
        stroke, dash = LINES[number % len(LINES)]
        drawing.line(24, y - 4, 54, y - 4, stroke=stroke, width=2.0 if curve.of_form else 1.2, dash=dash)
        other = "" if curve.of_form else " · parameters of another drug form"
        said = f"{curve.model.name}: {curve.at_end:.0f} ng/mL at the end · {curve.model.drug}, {curve.model.population}"
        drawing.text(62, y, wrap(said + other, width - 86, 11.5, lines=1)[0], size=11.5)
        y += _LINE
    drawing.rect(24, y - 10, 30, 11, fill=BAND)
    drawing.text(62, y, f"from the lowest to the highest model of {curves.form or 'the drug'}", size=11.5)
    y += _LINE
    for letter, effect in zip("abcdefgh", effects, strict=False):
        drawing.text(24, y, f"({letter})", size=11.5, fill=ALARM)
        drawing.text(
            62, y, wrap(f"{effect.name}: {_range(effect)}. {effect.source}", width - 86, 11.5, lines=1)[0], size=11.5
        )
        y += _LINE
    y += 6
    for lines in notes:
        for text in lines:
            drawing.text(24, y, text, size=11, fill=QUIET)
            y += _LINE
    return finished(drawing, path)


def _runs(shown: Sequence[bool]) -> list[list[int]]:
    """Stretches of times that may be drawn."""
    found: list[list[int]] = [[]]
    for i, seen in enumerate(shown):
        if seen:
            found[-1].append(i)
        elif found[-1]:
            found.append([])
    return [run for run in found if len(run) > 1]


def _range(effect: Effect) -> str:
    return f"{effect.low:g}–{effect.high:g} ng/mL" if effect.high is not None else f"about {effect.low:g} ng/mL"


def _effect_levels(drawing: Drawing, panel: Panel, effects: Sequence[Effect], top: float) -> None:
    for number, (letter, effect) in enumerate(zip("abcdefgh", effects, strict=False)):
        x = panel.right + 14 + 34 * number
        y_low = panel.up.position(effect.low)
        y_high = panel.up.position(min(effect.high if effect.high is not None else effect.low, top))
        if effect.high is not None:
            drawing.rect(x, y_high, 8, max(y_low - y_high, 1.0), fill=ALARM)
        else:
            drawing.rect(x, y_low - 1.5, 8, 3, fill=ALARM)
        drawing.text(x + 11, (y_low + y_high) / 2 + 4, f"({letter})", size=11.5, fill=ALARM)


def _effect_lines(drawing: Drawing, panel: Panel, effects: Sequence[Effect]) -> None:
    for level in sorted({e.low for e in effects} | {e.high for e in effects if e.high is not None}):
        if panel.up.holds(level):
            y = panel.up.position(level)
            drawing.line(panel.left, y, panel.right + 12, y, stroke=QUIET, width=0.7, dash="2 4")


def _notes(curves: Curves, kinetics: Kinetics, width: float) -> list[list[str]]:
    said = [
        "Reference curves: what published models estimate for people like those they were made from, not for a patient."
    ]
    if not curves.asked and curves.form:
        said.append(f"No drug form was asked for: parameters of {curves.form}.")
    if any(not c.of_form for c in curves.curves):
        said.append(
            f"Curves of another drug form than {curves.form} are no estimate for it; the forms are never converted."
        )
    said += [f"Not shown. {text}" for text in kinetics.cannot_show]
    return [wrap(text, width, 11, lines=3) for text in said]
