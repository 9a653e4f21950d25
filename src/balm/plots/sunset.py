"""The sunset plot: a funnel whose background says what power a study of that precision had.

Kossmeier M, Tran US, Voracek M. Z Psychol 2020;228:43-9.
"""

from __future__ import annotations

import os
from math import log

from balm.plots.axis import linear_axis
from balm.plots.figure import Figure
from balm.plots.funnel import half_width
from balm.plots.panel import INK, MARK, QUIET, Panel, effect_axis, finished, heading, padded
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.small_study.study_power import StudyPower, power_at
from balm.vocabulary.numbers import fixed, percent
from balm.vocabulary.problems import InputError

#: Ends of the bands and their colours, from the sun going down (no power) to the clear sky (power).
BANDS = (
    (0.1, "#e8a497"), (0.2, "#eeb9a5"), (0.33, "#f4d0b4"), (0.5, "#f8e5c9"), (0.66, "#eef1e0"), (0.8, "#dfead9"),
    (0.9, "#cfe2d6"), (1.0, "#bdd8d2"),
)  # fmt: skip
#: Two-sided levels whose boundaries are drawn.
LEVELS = ((0.05, None), (0.01, "5 4"))


def sunset(
    result: StudyPower,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 680.0,
    height: float = 540.0,
) -> Figure:
    """Draw a :func:`balm.study_power` result: the funnel, bands of power, and power as a second axis on the right.

    Lines mark p = 0.05 (solid) and 0.01 (dashed) against the null; the dotted line is the true effect that the powers
    are for. Significant studies low in the picture had little power.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.small_study.study_power import study_power
    >>> sunset(study_power(EffectSizes(effect=[0.1, 0.5], variance=[0.01, 0.06]))).title
    'Sunset plot of 2 studies'
    """
    if not isinstance(result, StudyPower):
        raise InputError(f"sunset draws a result of balm.study_power; got {type(result).__name__}")
    es = result.effects
    name, ratio, null = effect_axis(es)
    zero = 0.0 if null is None else log(null) if ratio else null
    most = 1.06 * float(es.se.max())
    drawing = Drawing(
        width,
        height,
        title=f"Sunset plot of {result.k} {'study' if result.k == 1 else 'studies'}" if title is None else title,
        description=f"Funnel over bands of power to find a true effect of {fixed(result.theta, 3)}: median power "
        f"{percent(100 * result.median)}, R-index {percent(100 * result.r_index)}, {result.excess.observed} studies "
        f"significant where {fixed(result.excess.expected, 1)} are expected.",
        ink=INK,
    )
    box = (64.0, 24.0 if title is None else 48.0, width - 74.0, height - 106.0)
    panel = Panel(box, padded([*es.effect.tolist(), result.theta, zero], 0.08), (0.0, most))
    panel.up = linear_axis(0.0, most, start=panel.top, end=panel.bottom)
    heading(drawing, title, panel.left, panel.right)
    _bands(drawing, panel, result, most)
    for p, dash in LEVELS:
        for sign in (-1.0, 1.0):
            panel.curve(drawing, _within(panel, zero, sign * half_width(p), most), stroke=QUIET, dash=dash)
    x = panel.across.position(result.theta)
    drawing.line(x, panel.top, x, panel.bottom, stroke=MARK, dash="2 3", width=1.6)
    for study, effect, se, power in zip(
        es.study, es.effect.tolist(), es.se.tolist(), result.power.tolist(), strict=True
    ):
        words = f"{study}: {fixed(effect, 3)}, power {percent(100 * power)}"
        drawing.circle(*panel.at(effect, se), 4.2, fill=MARK, stroke="#ffffff", stroke_width=1.0, full=words)
    panel.frame(drawing, f"{name}{' (analysis scale)' if ratio else ''}", "Standard error")
    _key(drawing, panel, result)
    return finished(drawing, path)


def _within(panel: Panel, zero: float, slope: float, most: float) -> list[tuple[float, float]]:
    """A level's boundary from the null outwards, as far as the frame is wide."""
    edge = panel.across.high if slope > 0.0 else panel.across.low
    last = min(most, (edge - zero) / slope)
    return [(zero, 0.0), (zero + slope * last, last)]


def _bands(drawing: Drawing, panel: Panel, result: StudyPower, most: float) -> None:
    """Bands of power down the funnel, and their ends on the right: power falls as the standard error grows."""
    top = panel.bottom
    written = panel.bottom + 20.0
    for end, colour in BANDS:
        se = _error_with(end, result, most)
        y = panel.up.position(se)
        if y < top:
            drawing.rect(panel.left, y, panel.right - panel.left, top - y, fill=colour)
            top = y
        if end < 1.0 and panel.top + 6.0 < y < panel.bottom - 2.0 and written - y > 13.0:
            drawing.line(panel.right, y, panel.right + 5, y, stroke=INK)
            drawing.text(panel.right + 9, y + 4, percent(100 * end), size=12)
            written = y
    drawing.line(panel.right, panel.top, panel.right, panel.bottom, stroke=INK)
    middle = (panel.top + panel.bottom) / 2
    drawing.text(panel.right + 56, middle, "Power", anchor="middle", size=12, rotate=-90)


def _error_with(power: float, result: StudyPower, most: float) -> float:
    """The standard error with which a study has this power; within 0 and ``most``."""
    if power >= 1.0 or power_at(most, result.theta, result.alpha) >= power:
        return 0.0 if power >= 1.0 else most
    if result.theta == 0.0 or power_at(1e-9 * most, result.theta, result.alpha) <= power:
        return 0.0
    low, high = 1e-9 * most, most
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if power_at(middle, result.theta, result.alpha) > power else (low, middle)
    return 0.5 * (low + high)


def _key(drawing: Drawing, panel: Panel, result: StudyPower) -> None:
    x, base = panel.left, panel.bottom + 62
    rows = [
        (QUIET, None, "p = 0.05"),
        (QUIET, "5 4", "p = 0.01"),
        (MARK, "2 3", f"true effect {fixed(result.theta, 3)}"),
    ]
    for colour, dash, words in rows:
        drawing.line(x, base - 4, x + 24, base - 4, stroke=colour, dash=dash, width=1.6)
        drawing.text(x + 30, base, words, size=11.5)
        x += 30 + text_width(words, 11.5) + 20
    said = (
        f"Median power {percent(100 * result.median)}; R-index {percent(100 * result.r_index)}; significant "
        f"{result.excess.observed} of {result.k}, expected {fixed(result.excess.expected, 1)}"
    )
    drawing.text(panel.left, base + 22, said, size=11.5)
