"""Sites against their size: a share of people with the limits that chance alone keeps to (Spiegelhalter 2005)."""

from __future__ import annotations

import os
from collections.abc import Sequence

from balm.plots.figure import Figure
from balm.plots.panel import INK, MARK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.control_charts import funnel_limits
from balm.vocabulary.numbers import fixed
from balm.vocabulary.problems import InputError

#: Two limits, as Spiegelhalter draws them: about two and three standard deviations.
LEVELS = ((0.95, "5 3"), (0.998, None))


def site_funnel(
    names: Sequence[str],
    events: Sequence[int],
    n: Sequence[int],
    path: str | os.PathLike[str] | None = None,
    *,
    y_title: str = "Responders (%)",
    title: str | None = None,
    width: float = 660.0,
    height: float = 440.0,
) -> Figure:
    """Draw the share of each site over its size, around the share of all.

    >>> site_funnel(["North", "East"], [19, 13], [60, 30]).title
    'Funnel plot of 2 sites'
    """
    if not names or not len(names) == len(events) == len(n):
        raise InputError("names, events and n must have one length of 1 or more")
    target = sum(events) / sum(n)
    most = max(n) * 1.15
    sizes = sorted({max(1, round(most * i / 60)) for i in range(1, 61)})
    panel = Panel((70.0, 20.0 if title is None else 44.0, width - 24, height - 84), (0.0, most), (0.0, 100.0))
    outside = []
    if 0 < target < 1:
        for name, x, size in zip(names, events, n, strict=True):
            low, high = funnel_limits(target, [size], level=0.95)[0]
            outside += [name] if not low <= x / size <= high else []
    drawing = Drawing(
        width,
        height,
        title=f"Funnel plot of {len(names)} sites" if title is None else title,
        description=f"Share of each site over its size, around {100 * target:.1f}%. Outside the 95% limits: "
        f"{', '.join(outside) or 'none'}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    middle = panel.up.position(100 * target)
    drawing.line(panel.left, middle, panel.right, middle, stroke=QUIET)
    if 0 < target < 1:
        for level, dash in LEVELS:
            limits = funnel_limits(target, sizes, level=level)
            for end in (0, 1):
                points = [(float(s), 100 * pair[end]) for s, pair in zip(sizes, limits, strict=True)]
                panel.curve(drawing, points, stroke=QUIET, **({"dash": dash} if dash else {}))
    panel.frame(drawing, "People assessed", y_title)
    for name, x, size in zip(names, events, n, strict=True):
        px, py = panel.at(size, 100 * x / size)
        drawing.circle(px, py, 5.5, fill=MARK, full=f"{name}: {x} of {size}")
        panel.take(px, py, 6.0)
    for name, x, size in zip(names, events, n, strict=True):
        panel.name(drawing, name, *panel.at(size, 100 * x / size), radius=6.0)
    base, x = panel.bottom + 62, panel.left
    for level, dash in LEVELS:
        drawing.line(x, base - 4, x + 24, base - 4, stroke=QUIET, dash=dash)
        words = f"{fixed(100 * level, 1 if level > 0.99 else 0)}% limits (exact binomial)"
        drawing.text(x + 30, base, words, size=11.5)
        x += 30 + text_width(words, 11.5) + 22
    return finished(drawing, path)
