"""The profile of the log-likelihood over tau2, with its maximum and the interval it gives."""

from __future__ import annotations

import os
from math import isfinite
from typing import Any

from balm.plots.figure import Figure
from balm.plots.panel import ALARM, BAND, INK, MARK, QUIET, Panel, finished, heading, padded
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.diagnostics.likelihood_profile import LikelihoodProfile
from balm.stats.diagnostics.likelihood_profile import likelihood_profile as profile
from balm.vocabulary.numbers import fixed, short
from balm.vocabulary.problems import InputError

#: The picture reaches this many times as far down as the interval's line: what falls deeper is ruled out anyway.
STEEP = 4.0


def likelihood_profile(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 620.0,
    height: float = 460.0,
    **options: Any,
) -> Figure:
    """Draw the likelihood profile of a fit (or of :func:`balm.likelihood_profile`'s values).

    The shaded tau2 lie within the interval: their log-likelihood is above the dashed line, half a chi-squared quantile
    under the maximum. A fit whose own tau2 is another estimator's is marked too. Further options (``tau2``,
    ``likelihood``, ``level``, ``points``) are those of :func:`balm.likelihood_profile`.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> likelihood_profile(pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]))).title
    'Likelihood profile of τ²'
    """
    if isinstance(result, LikelihoodProfile):
        if options:
            raise InputError(f"{', '.join(options)}: these were settled when the profile was computed")
        found = result
    else:
        found = profile(result, **options)
    if found.reason:
        raise InputError(f"there is no likelihood profile of tau2: {found.reason}")
    rows = sorted(zip(found.tau2.tolist(), found.log_likelihood.tolist(), strict=True))
    if len(rows) < 2:
        raise InputError("a likelihood profile needs at least two values of tau2 to draw a line")
    low, high = found.interval
    floor = found.highest - STEEP * (found.highest - found.cut)
    level = f"{found.interval.level * 100:g}%"
    panel = Panel(
        (72.0, 20.0 if title is None else 44.0, width - 24, height - 78),
        (rows[0][0], rows[-1][0]),
        padded([max(y, floor) for _, y in rows], include=[found.highest, found.cut]),
    )
    drawing = Drawing(
        width,
        height,
        title="Likelihood profile of τ²" if title is None else title,
        description=f"Log-likelihood ({found.likelihood}) of tau² from {short(rows[0][0])} to {short(rows[-1][0])}: "
        f"highest at {short(found.best, 3)} ({fixed(found.highest)}), {level} interval "
        f"{short(low, 3)} to {short(high, 3)}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    if panel.across.low < high and low < panel.across.high:
        left, right = panel.across.position(low), panel.across.position(high)
        drawing.rect(left, panel.top, right - left, panel.bottom - panel.top, fill=BAND)
    cut = panel.up.position(found.cut)
    drawing.line(panel.left, cut, panel.right, cut, stroke=QUIET, dash="5 4")
    if panel.across.holds(found.best):
        x, y = panel.at(found.best, found.highest)
        drawing.line(x, y, x, panel.bottom, stroke=MARK)
    different = isfinite(found.fitted) and abs(found.fitted - found.best) > 1e-6 * (found.fitted + found.best)
    if different and panel.across.holds(found.fitted):
        x = panel.across.position(found.fitted)
        drawing.line(x, panel.top, x, panel.bottom, stroke=ALARM, dash="3 3")
    panel.curve(drawing, rows, stroke=MARK, width=2.0)
    if panel.across.holds(found.best):
        drawing.circle(*panel.at(found.best, found.highest), 4.5, fill=MARK, stroke="#fff")
    panel.frame(drawing, "τ²", f"Log-likelihood ({found.likelihood})")
    base, x = panel.bottom + 62, panel.left
    drawing.rect(x, base - 10, 24, 12, fill=BAND)
    text = f"{level} interval {short(low, 3)} to {short(high, 3)}, highest at {short(found.best, 3)}"
    drawing.text(x + 30, base, text, size=11.5)
    if different:
        x += 30 + text_width(text, 11.5) + 22
        drawing.line(x, base - 4, x + 24, base - 4, stroke=ALARM, dash="3 3")
        drawing.text(x + 30, base, f"τ² of the fit {short(found.fitted, 3)}", size=11.5)
    return finished(drawing, path)
