"""Funnel plot: each study's effect against its precision, over regions of statistical significance around no effect.

Light JJ, Pillemer DB. Summing Up (1984); Sterne JAC, Egger M. J Clin Epidemiol 2001;54:1046-55 (choice of axes:
standard error, inverted); Peters JL et al. J Clin Epidemiol 2008;61:991-6 (contours); Sterne JAC et al. BMJ
2011;343:d4002 (at least ten studies before asymmetry is read).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import cos, exp, inf, isfinite, log, sin, sqrt, tau

from balm.plots.axis import Axis, linear_axis, log_axis, round_ticks
from balm.plots.figure import Figure
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, text_width
from balm.stats.distributions import norm_ppf
from balm.stats.effect_sizes import EffectSizes
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.numbers import fixed, level, plain
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.quick_dataclass import dataclass

#: Below ten studies a test or a look for asymmetry has too little power to tell chance from bias (BMJ 2011;343:d4002).
MIN_STUDIES = 10
#: With more studies than this, names run into each other; every point still carries its name as a tooltip.
MAX_LABELS = 20
INK, QUIET, MARK = "#1b232d", "#55606d", "#17577a"
#: From the inside (not significant) to the outside (smallest p): lightest where significance is strongest.
SHADES = ("#ffffff", "#c3ced6", "#dae2e7", "#eef2f4", "#f6f8f9", "#fafbfc")


@dataclass(frozen=True, slots=True)
class Precision:
    """A choice of vertical axis: its title, and the way between it and the standard error."""

    title: str
    of_se: Callable[[float], float]
    to_se: Callable[[float], float]
    inverted: bool  # small values, which are the precise ones, at the top


PRECISION = {
    "se": Precision("Standard error", lambda se: se, lambda y: y, True),
    "variance": Precision("Variance", lambda se: se * se, sqrt, True),
    "precision": Precision("Precision (1 / standard error)", lambda se: 1 / se, lambda y: 1 / y, False),
    "inverse-variance": Precision("Inverse variance", lambda se: 1 / se**2, lambda y: 1 / sqrt(y), False),
}


def half_width(p: float) -> float:
    """How many standard errors from the null an effect lies when its two-sided p value (normal) is ``p``.

    >>> round(half_width(0.05), 4)
    1.96
    """
    return -norm_ppf(p / 2)


def cone(
    centre: float, z: float, *, ys: Sequence[float], to_se: Callable[[float], float], low: float, high: float
) -> list[tuple[float, float]]:
    """Corners ``(x, y)`` of the region ``|x - centre| <= z * se(y)`` within ``low <= x <= high``.

    Down the left edge along ``ys`` and back up the right edge; on the standard-error axis two values of y are enough,
    and the y at which an edge leaves the frame is added so that slopes stay true.
    """
    crossings = {abs(edge - centre) / z for edge in (low, high) if edge != centre}
    first, last = to_se(ys[0]), to_se(ys[-1])
    bounds = sorted((first, last))
    ses = sorted({to_se(y) for y in ys} | {se for se in crossings if bounds[0] < se < bounds[1]})
    left = [(max(centre - z * se, low), se) for se in ses]
    right = [(min(centre + z * se, high), se) for se in reversed(ses)]
    return left + right


def funnel(
    result: Pooled | EffectSizes,
    path: str | os.PathLike[str] | None = None,
    *,
    y: str = "se",
    contours: Sequence[float] | None = (0.10, 0.05, 0.01),
    limits: bool = True,
    limits_level: float = 0.95,
    labels: str = "auto",
    hollow: Sequence[bool] | None = None,
    title: str | None = None,
    width: float = 660.0,
    height: float = 520.0,
) -> Figure:
    """Draw the funnel plot of a pooled result, and write it to ``path`` (.svg, .png or .pdf) when one is given.

    y            : "se" (inverted), "variance", "precision" or "inverse-variance".
    contours     : two-sided p values whose boundaries are shaded around the null; ``None`` for none. Measures without
                   a value of no effect (proportions, means) have no contours.
    limits       : the pseudo-confidence limits, estimate +- z x se: where studies would lie if only sampling error
                   differed (they ignore tau2, as usual). Drawn around the pooled estimate, or around the
                   common-effect one when ``result`` is a set of effect sizes.
    labels       : "auto" writes study names for up to 20 studies, "all" always, "none" never. Points that cannot be
                   estimated are left out and counted in the description.
    hollow       : (k,) True for studies drawn as open circles, those that trim and fill added.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> import numpy as np
    >>> es = EffectSizes(np.array([-0.9, -0.2]), np.array([0.3, 0.02]), ("Ahn 2001", "Bo 2010"))
    >>> funnel(es).title
    'Funnel plot of 2 studies'
    """
    check_option("y", y, list(PRECISION))
    check_option("labels", labels, ["auto", "all", "none"])
    if not 0 < limits_level < 1:
        raise InputError(f"limits_level must lie between 0 and 1; got {limits_level!r}")
    points, left_out, centre, effects = _points(result)
    unseen = _hollow(hollow, effects, len(points))
    measure = MEASURES.get(effects.measure)
    scale = measure.scale if measure else None
    name = "Effect" if measure is None or effects.measure == "GEN" else measure.name
    ratio = bool(scale and scale.ratio)
    null = None if scale is None or scale.null is None else (log(scale.null) if ratio else scale.null)
    bounds = _checked(contours) if null is not None else ()
    precision = PRECISION[y]

    largest, smallest = max(se for _, _, se in points), min(se for _, _, se in points)
    top, bottom = _y_range(y, smallest, largest)
    z = half_width(1 - limits_level)
    low, high = _x_range(points, centre, null, z * largest if limits else 0.0)

    few = len(points) < MIN_STUDIES
    legend = _legend(bounds, limits, limits_level, few, sum(unseen))
    box = (64.0, 20.0 if title is None else 44.0, width - 24, height - 62 - 18 * len(legend))
    frame_left, frame_top, frame_right, frame_bottom = box
    across = _x_axis(low, high, ratio, frame_left, frame_right)
    down = Axis(min(top, bottom), max(top, bottom), *_ends(precision, frame_top, frame_bottom))
    ys = [top, bottom] if y == "se" else [top + (bottom - top) * i / 60 for i in range(61)]

    def at(x: float) -> float:
        return across.position(exp(x)) if ratio else across.position(x)

    def corners(centre: float, z: float) -> list[tuple[float, float]]:
        shape = cone(centre, z, ys=ys, to_se=precision.to_se, low=low, high=high)
        return [(at(x), _y(down, precision, se)) for x, se in shape]

    heading = f"Funnel plot of {len(points)} studies" if title is None else title
    drawing = Drawing(
        width,
        height,
        title=heading,
        description=_description(points, left_out, centre, name, ratio, precision, few, sum(unseen)),
        ink=INK,
    )
    if title is not None:
        drawing.text(frame_left, 24, fit(title, frame_right - frame_left, 15, bold=True), bold=True, size=15)

    drawing.rect(frame_left, frame_top, frame_right - frame_left, frame_bottom - frame_top, fill=SHADES[len(bounds)])
    for i, p in reversed(list(enumerate(bounds))):
        drawing.polygon(corners(null or 0.0, half_width(p)), fill=SHADES[i])
    lines = [[(at(centre), frame_top), (at(centre), frame_bottom)]]
    if null is not None and low <= null <= high:
        lines.append([(at(null), frame_top), (at(null), frame_bottom)])
        drawing.line(at(null), frame_top, at(null), frame_bottom, stroke=QUIET)
    if limits:
        outline = corners(centre, z)
        half = len(outline) // 2
        drawing.polyline(outline[:half], stroke=MARK, dash="5 4")
        drawing.polyline(outline[half:], stroke=MARK, dash="5 4")
        lines += [outline[:half], outline[: half - 1 : -1]]
    drawing.line(at(centre), frame_top, at(centre), frame_bottom, stroke=MARK, dash="5 4")
    _frame(drawing, across, down, precision, box, name, ratio)

    placed: list[tuple[float, float, float, float]] = [
        (at(x) - 5, _y(down, precision, se) - 5, at(x) + 5, _y(down, precision, se) + 5) for _, x, se in points
    ]
    named = labels == "all" or (labels == "auto" and len(points) <= MAX_LABELS)
    for (study, x, se), opened in zip(points, unseen, strict=True):
        px, py = at(x), _y(down, precision, se)
        shown = exp(x) if ratio else x
        tip = f"{study}: {name} {fixed(shown)}, standard error {fixed(se, 3)}"
        if opened:
            drawing.circle(px, py, 4.5, fill="#ffffff", stroke=MARK, stroke_width=1.6, full=tip)
        else:
            drawing.circle(px, py, 4.5, fill=MARK, stroke="#ffffff", stroke_width=1.2, full=tip)
        if named and study and not opened:
            _label(drawing, study, px, py, box, placed, lines)
    _write_legend(drawing, legend, frame_left, frame_bottom + 50)
    figure = drawing.figure()
    if path is not None:
        figure.save(path)
    return figure


def _points(result: Pooled | EffectSizes) -> tuple[list[tuple[str, float, float]], int, float, EffectSizes]:
    effects = result.effects if isinstance(result, Pooled) else result
    names = effects.study or tuple(f"Study {i + 1}" for i in range(len(effects)))
    every = [
        (str(n), float(x), sqrt(float(v)))
        for n, x, v in zip(names, effects.effect.tolist(), effects.variance.tolist(), strict=True)
        if v == v and v >= 0
    ]
    points = [(n, x, se) for n, x, se in every if isfinite(x) and isfinite(se) and se > 0]
    if not points:
        raise InputError("a funnel plot needs at least one study with an effect and a variance above 0; there is none")
    if isinstance(result, Pooled):
        centre = float(result.estimate)
    else:
        centre = sum(x / se**2 for _, x, se in points) / sum(1 / se**2 for _, x, se in points)
    return points, len(effects) - len(points), centre, effects


def _hollow(hollow: Sequence[bool] | None, effects: EffectSizes, drawn: int) -> list[bool]:
    """Which of the drawn points are open circles."""
    if hollow is None:
        return [False] * drawn
    flags = [bool(flag) for flag in hollow]
    if len(flags) != len(effects):
        raise InputError(f"hollow must hold one True or False a study ({len(effects)}); got {len(flags)}")
    usable = [isfinite(y) and isfinite(v) and v > 0 for _, y, v in effects]
    return [flag for flag, shown in zip(flags, usable, strict=True) if shown]


def _checked(contours: Sequence[float] | None) -> tuple[float, ...]:
    bounds = tuple(sorted({float(p) for p in contours or ()}, reverse=True))
    if bad := [p for p in bounds if not 0 < p < 1]:
        raise InputError(f"contours must be p values between 0 and 1; got {bad[0]!r}")
    if len(bounds) >= len(SHADES):
        raise InputError(f"contours takes at most {len(SHADES) - 1} p values; got {len(bounds)}")
    return bounds


def _y_range(y: str, smallest: float, largest: float) -> tuple[float, float]:
    """Values at the top and at the bottom of the frame: the most precise studies are above."""
    if PRECISION[y].inverted:
        return 0.0, PRECISION[y].of_se(largest) * 1.08
    top, bottom = PRECISION[y].of_se(smallest), PRECISION[y].of_se(largest)
    pad = 0.06 * (top - bottom) or 0.1 * top
    return top + pad, max(bottom - pad, bottom * 0.5)


def _x_range(
    points: list[tuple[str, float, float]], centre: float, null: float | None, reach: float
) -> tuple[float, float]:
    xs = [x for _, x, _ in points] + [centre - reach * 1.08, centre + reach * 1.08] + ([] if null is None else [null])
    low, high = min(xs), max(xs)
    pad = 0.06 * (high - low) or 0.5
    return low - pad, high + pad


def _x_axis(low: float, high: float, ratio: bool, start: float, end: float) -> Axis:
    return (
        log_axis(exp(low), exp(high), start=start, end=end) if ratio else linear_axis(low, high, start=start, end=end)
    )


def _ends(precision: Precision, top: float, bottom: float) -> tuple[float, float]:
    return (top, bottom) if precision.inverted else (bottom, top)


def _y(down: Axis, precision: Precision, se: float) -> float:
    return down.position(precision.of_se(se) if se > 0 else (0.0 if precision.inverted else inf))


def _frame(
    drawing: Drawing,
    across: Axis,
    down: Axis,
    precision: Precision,
    box: tuple[float, float, float, float],
    name: str,
    ratio: bool,
) -> None:
    left, top, right, bottom = box
    drawing.line(left, bottom, right, bottom, stroke=INK)
    drawing.line(left, top, left, bottom, stroke=INK)
    for tick in across.ticks:
        x = across.position(tick)
        drawing.line(x, bottom, x, bottom + 5, stroke=INK)
        drawing.text(x, bottom + 18, across.label(tick), anchor="middle", size=12)
    for tick in round_ticks(down.low, down.high, 5):
        y = down.position(tick)
        drawing.line(left - 5, y, left, y, stroke=INK)
        drawing.text(left - 9, y + 4, down.label(tick), anchor="end", size=12)
    drawing.text((left + right) / 2, bottom + 36, f"{name} (log scale)" if ratio else name, anchor="middle", size=12)
    drawing.text(18, (top + bottom) / 2, precision.title, anchor="middle", size=12, rotate=-90)


def _label(
    drawing: Drawing,
    study: str,
    x: float,
    y: float,
    box: tuple[float, float, float, float],
    placed: list[tuple[float, float, float, float]],
    lines: list[list[tuple[float, float]]],
) -> None:
    """The study's name in the first free place around its point, off the lines if it can be; else left out."""
    left, top, right, bottom = box
    text = fit(study, 170, 11)
    w = text_width(text, 11)
    places = [(8, 4), (-8 - w, 4), (8, -6), (-8 - w, -6), (8, 14), (-8 - w, 14), (-w / 2, -9), (-w / 2, 18)]
    spots = [(x + dx, y + dy - 9, x + dx + w, y + dy + 2) for dx, dy in places]
    free = [
        spot
        for spot in spots
        if left + 2 < spot[0] and spot[2] < right - 2 and top < spot[1] and spot[3] < bottom - 2
        if not any(_overlap(spot, other) for other in placed)
    ]
    if free:
        spot = min(free, key=lambda s: sum(_crosses(s, line) for line in lines))
        drawing.text(spot[0], spot[3] - 2, text, size=11, full=study if text != study else None)
        placed.append(spot)


def _crosses(spot: tuple[float, float, float, float], line: list[tuple[float, float]]) -> bool:
    """Whether a line running down the page passes through the place of a label."""
    middle = (spot[1] + spot[3]) / 2
    for (x1, y1), (x2, y2) in pairwise(line):
        if y1 <= middle <= y2 and y1 < y2:
            return spot[0] - 3 < x1 + (x2 - x1) * (middle - y1) / (y2 - y1) < spot[2] + 3
    return False


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _legend(
    bounds: tuple[float, ...], limits: bool, limits_level: float, few: bool, filled: int = 0
) -> list[list[tuple[str, str]]]:
    """Lines of ``(swatch, text)``: a fill colour, "dash" for the limits, "open" for filled studies, or "" for none."""
    lines: list[list[tuple[str, str]]] = []
    if bounds:
        regions = [(SHADES[0], f"p > {_p(bounds[0])}")]
        regions += [
            (SHADES[i + 1], f"{_p(lower)} < p ≤ {_p(upper)}") for i, (upper, lower) in enumerate(pairwise(bounds))
        ]
        regions.append((SHADES[len(bounds)], f"p ≤ {_p(bounds[-1])}"))
        lines.append(regions)
    if limits:
        lines.append([("dash", f"pooled estimate, with pseudo {level(limits_level)} limits of sampling error alone")])
    if filled:
        lines.append([("open", "study filled in, not observed")])
    if few:
        lines.append([("", f"Fewer than {MIN_STUDIES} studies: asymmetry cannot be told from chance.")])
    return lines


def _p(p: float) -> str:
    """0.10 rather than 0.1, 0.001 in full."""
    return plain(p, 8) if p != round(p, 2) else f"{p:.2f}"


def _write_legend(drawing: Drawing, legend: list[list[tuple[str, str]]], left: float, y: float) -> None:
    for i, line in enumerate(legend):
        x, base = left, y + 8 + 18 * i
        for swatch, text in line:
            if not swatch:
                drawing.text(x, base, text, size=11.5, fill=QUIET)
                continue
            if swatch == "dash":
                drawing.line(x, base - 4, x + 24, base - 4, stroke=MARK, dash="5 4")
            elif swatch == "open":
                # Drawn as a line, so that every circle of the drawing is a study.
                ring = [(x + 12 + 4.5 * cos(i * tau / 24), base - 4 + 4.5 * sin(i * tau / 24)) for i in range(25)]
                drawing.polyline(ring, stroke=MARK)
            else:
                drawing.rect(x, base - 10, 24, 12, fill=swatch, stroke=QUIET, stroke_width=0.7)
            drawing.text(x + 30, base, text, size=11.5)
            x += 30 + text_width(text, 11.5) + 20


def _description(
    points: list[tuple[str, float, float]],
    left_out: int,
    centre: float,
    name: str,
    ratio: bool,
    precision: Precision,
    few: bool,
    filled: int = 0,
) -> str:
    above = sum(x > centre for _, x, _ in points)
    parts = [
        f"{name} of {len(points)} studies against {precision.title[0].lower() + precision.title[1:]}, "
        f"precise studies at the top.",
        f"{above} lie above and {len(points) - above} at or below the pooled value, "
        f"{fixed(exp(centre) if ratio else centre)}.",
    ]
    if filled:
        parts.append(f"{filled} {'point was' if filled == 1 else 'points were'} filled in, not observed (hollow).")
    if left_out:
        parts.append(f"{left_out} could not be estimated and are not drawn.")
    if few:
        parts.append(f"With fewer than {MIN_STUDIES} studies asymmetry cannot be told from chance.")
    return " ".join(parts)
