"""GOSH plot: the cloud of pooled effects of all subsets against their heterogeneity, and margins.

Olkin I, Dahabreh IJ, Trikalinos TA (2012) Res Synth Methods 3:214-223. The cloud is drawn as a grid of counts: a
million subsets make the same small figure as a thousand.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from balm.plots.figure import Figure
from balm.plots.panel import INK, MARK, QUIET, Panel, effect_axis, finished, heading, padded, ratio_ticks
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, text_width
from balm.stats.diagnostics.clusters import Clusters
from balm.stats.diagnostics.gosh import Gosh
from balm.stats.diagnostics.gosh import gosh as subsets_of
from balm.vocabulary.numbers import fixed
from balm.vocabulary.problems import InputError, check_option

TITLES = {"i2": "I² (%)", "tau2": "τ²", "q": "Cochran's Q", "h2": "H²"}
#: Cells across and up.
CELLS = (110, 84)
#: Colours of two or more groups of subsets, told apart by people who do not see red and green (Okabe & Ito 2008).
COLOURS = ("#17577a", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def gosh(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    against: str = "i2",
    highlight: str | int | None = None,
    clusters: Clusters | None = None,
    title: str | None = None,
    width: float = 700.0,
    height: float = 560.0,
) -> Figure:
    """Draw the GOSH plot of a pooled result (or of :func:`balm.gosh`'s values); write it to ``path`` when given.

    against   : heterogeneity across: "i2", "tau2", "q" or "h2".
    highlight : a study (label, or number from 0): subsets with it are coloured apart from those without.
    clusters  : of :meth:`Gosh.clusters`, to colour the subsets by.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> gosh(pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]))).title
    'GOSH plot of 7 subsets of 3 studies'
    """
    check_option("against", against, list(TITLES))
    found = result if isinstance(result, Gosh) else subsets_of(result)
    if highlight is not None and clusters is not None:
        raise InputError("give highlight= or clusters=, not both")
    x, y = getattr(found, against), found.estimate
    use = np.isfinite(x) & np.isfinite(y)
    if not use.any():
        raise InputError("a GOSH plot needs subsets of two or more studies; one study has none")
    group, names = _groups(found, highlight, clusters)
    x, y, group = x[use], y[use], group[use]
    name, ratio, null = effect_axis(found.fit.effects)
    shown = np.exp(y) if ratio else y

    margin = 74.0
    top = (20.0 if title is None else 44.0) + margin
    panel = Panel((78.0, top, width - 24 - margin, height - 78), padded(x.tolist(), 0.02), padded(y.tolist(), 0.03))
    what = f"{len(found)} subsets of {len(found.study)} studies"
    low, middle, high = np.quantile(shown, [0.0, 0.5, 1.0]).tolist()
    drawing = Drawing(
        width,
        height,
        title=f"GOSH plot of {what}" if title is None else title,
        description=f"Pooled {name.lower()} of {what} against {TITLES[against]}: from {fixed(low)} to {fixed(high)}, "
        f"middle {fixed(middle)}."
        + "".join(f" {n}: {int(np.count_nonzero(group == i))} subsets." for i, n in enumerate(names)),
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    _cloud(drawing, panel, x, y, group, max(len(names), 1))
    _margins(drawing, panel, x, y, group, max(len(names), 1), margin - 8)
    if null is not None:
        _level(drawing, panel, float(np.log(null)) if ratio else null, QUIET, None)
    _level(drawing, panel, found.fit.estimate, INK, "5 4")
    ticks = ratio_ticks(panel.up) if ratio else None
    panel.frame(drawing, TITLES[against], f"{name} (log scale)" if ratio else name, y_ticks=ticks)
    _legend(drawing, panel, names, found)
    return finished(drawing, path)


def _groups(found: Gosh, highlight: str | int | None, clusters: Clusters | None) -> tuple[Any, list[str]]:
    if highlight is not None:
        label = found.study[found.position(highlight)]
        return found.includes(highlight).astype(np.int64), [f"without {label}", f"with {label}"]
    if clusters is not None:
        if len(clusters.label) != len(found):
            raise InputError("clusters= belongs to another set of subsets")
        if len(clusters.size) > len(COLOURS):
            raise InputError(f"a GOSH plot colours at most {len(COLOURS)} clusters; got {len(clusters.size)}")
        return clusters.label, [f"cluster {i + 1}" for i in range(len(clusters.size))]
    return np.zeros(len(found), dtype=np.int64), []


def _cells(values: Any, low: float, high: float, count: int) -> Any:
    return np.clip(((values - low) / (high - low) * count).astype(np.int64), 0, count - 1)


def _cloud(drawing: Drawing, panel: Panel, x: Any, y: Any, group: Any, groups: int) -> None:
    """Counts in a grid: the deeper the colour, the more subsets (on a log scale); the largest group colours a cell."""
    across, up = CELLS
    column = _cells(x, panel.across.low, panel.across.high, across)
    row = _cells(y, panel.up.low, panel.up.high, up)
    counts = np.stack([np.bincount((row * across + column)[group == g], minlength=across * up) for g in range(groups)])
    total = counts.sum(axis=0)
    filled = np.flatnonzero(total)
    depth = np.log1p(total[filled]) / np.log1p(total.max())
    w, h = (panel.right - panel.left) / across, (panel.bottom - panel.top) / up
    for cell, strength, owner in zip(
        filled.tolist(), depth.tolist(), counts[:, filled].argmax(axis=0).tolist(), strict=True
    ):
        i, j = divmod(cell, across)
        alpha = f"{round(255 * (0.16 + 0.84 * strength)):02x}"
        drawing.rect(
            panel.left + j * w, panel.bottom - (i + 1) * h, w + 0.05, h + 0.05, fill=f"{COLOURS[owner]}{alpha}"
        )


def _margins(drawing: Drawing, panel: Panel, x: Any, y: Any, group: Any, groups: int, room: float) -> None:
    """Histograms above and to the right, the groups stacked."""
    bins = 55
    for values, axis, flat in ((x, panel.across, True), (y, panel.up, False)):
        place = _cells(values, axis.low, axis.high, bins)
        counts = np.stack([np.bincount(place[group == g], minlength=bins) for g in range(groups)])
        most = counts.sum(axis=0).max()
        step = abs(axis.end - axis.start) / bins
        for i in range(bins):
            base = 0.0
            for g in range(groups):
                length = room * float(counts[g, i]) / float(most)
                if length <= 0.0:
                    continue
                if flat:
                    at = (panel.left + i * step, panel.top - 6 - base - length, step - 0.6, length)
                else:
                    at = (panel.right + 6 + base, panel.bottom - (i + 1) * step + 0.3, length, step - 0.6)
                drawing.rect(*at, fill=COLOURS[g])
                base += length


def _level(drawing: Drawing, panel: Panel, value: float, stroke: str, dash: str | None) -> None:
    if panel.up.holds(value):
        y = panel.up.position(value)
        drawing.line(panel.left, y, panel.right, y, stroke=stroke, dash=dash, width=0.9)


def _legend(drawing: Drawing, panel: Panel, names: list[str], found: Gosh) -> None:
    base, x = panel.bottom + 62, panel.left
    for colour, text in zip(COLOURS, names, strict=False):
        text = fit(text, 200, 11.5)
        drawing.rect(x, base - 10, 14, 12, fill=colour, stroke=MARK, stroke_width=0.5)
        drawing.text(x + 20, base, text, size=11.5)
        x += 20 + text_width(text, 11.5) + 18
    drawing.line(x, base - 4, x + 24, base - 4, stroke=INK, dash="5 4")
    drawing.text(x + 30, base, "all studies", size=11.5)
