"""Posterior densities of a Bayesian meta-analysis: the mean effect, the effect in a new setting, and tau."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from balm.plots.figure import Figure
from balm.plots.panel import BAND, INK, MARK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.bayes.bayes import Bayes
from balm.vocabulary.numbers import level, short
from balm.vocabulary.problems import InputError

#: Points of a curve.
POINTS = 201


def posterior(
    fit: Bayes,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 760.0,
    height: float = 380.0,
) -> Figure:
    """Draw the posterior densities of a :func:`balm.bayes` fit.

    On the left the mean effect (filled, its credible interval darker) and the effect in a new setting (dashed), on the
    analysis scale; on the right tau with its prior (dashed), where that is proper.

    >>> from balm.stats.bayes.bayes import bayes
    >>> from balm.stats.effect_sizes import EffectSizes
    >>> fit = bayes(EffectSizes(effect=[0.2, 0.5, -0.1], variance=[0.04, 0.05, 0.09]), tau="half-normal", scale=0.5)
    >>> posterior(fit).title
    'Posterior densities'
    """
    if not isinstance(fit, Bayes):
        raise InputError(f"posterior densities are drawn of a result of balm.bayes; got {type(fit).__name__}")
    ci = level(fit.level)
    low, high = fit.mu.interval.low, fit.mu.interval.high
    drawing = Drawing(
        width,
        height,
        title=title or "Posterior densities",
        description=f"Mean effect: median {short(fit.mu.median, 3)}, {ci} credible interval {short(low, 3)} to "
        f"{short(high, 3)}. New setting: {short(fit.prediction.interval.low, 3)} to "
        f"{short(fit.prediction.interval.high, 3)}. tau: median {short(fit.tau.median, 3)}, "
        f"{short(fit.tau.interval.low, 3)} to {short(fit.tau.interval.high, 3)}; prior {fit.prior.words}.",
        ink=INK,
    )
    top = 20.0 if title is None else 44.0
    middle = width * 0.6
    _effects(drawing, fit, (64.0, top, middle - 20, height - 92), ci)
    _tau(drawing, fit, (middle + 44, top, width - 18, height - 92), ci)
    heading(drawing, title, 64.0, width - 18)
    return finished(drawing, path)


def _effects(drawing: Drawing, fit: Bayes, box: tuple[float, float, float, float], ci: str) -> None:
    ends = np.array(fit.prediction_posterior.quantile([0.01, 0.99]))
    own = np.array(fit.mu_posterior.quantile([0.0005, 0.9995]))
    x = np.linspace(min(ends[0], own[0]), max(ends[1], own[1]), POINTS)
    x = np.sort(np.concatenate((x, [fit.mu.interval.low, fit.mu.interval.high])))
    mean, new = fit.mu_posterior.density(x), fit.prediction_posterior.density(x)
    panel = Panel(box, (float(x[0]), float(x[-1])), (0.0, float(max(mean.max(), new.max())) * 1.06))
    _filled(drawing, panel, x, mean, fit.mu.interval)
    if panel.across.holds(0.0):
        at = panel.across.position(0.0)
        drawing.line(at, panel.top, at, panel.bottom, stroke=QUIET, dash="2 3")
    panel.curve(drawing, list(zip(x.tolist(), new.tolist(), strict=True)), stroke=QUIET, width=1.6, dash="6 4")
    panel.curve(drawing, list(zip(x.tolist(), mean.tolist(), strict=True)), stroke=MARK, width=2.0)
    panel.frame(drawing, "Effect (analysis scale)", "Density")
    _key(
        drawing, panel, [(MARK, None, f"mean effect, {ci} interval shaded"), (QUIET, "6 4", "effect in a new setting")]
    )


def _tau(drawing: Drawing, fit: Bayes, box: tuple[float, float, float, float], ci: str) -> None:
    last = float(fit.tau_posterior.quantile(0.995))
    x = np.sort(np.concatenate((np.linspace(last / 400, last, POINTS), [max(fit.tau.interval.high, last / 400)])))
    density = fit.tau_posterior.density(x)
    curves: list[Any] = [density[np.isfinite(density)]]
    prior = None
    if fit.prior.proper:
        prior = np.exp(fit.prior.log_density(x, fit.effects.variance))
        curves.append(prior[np.isfinite(prior)])
    most = min(max(float(c.max()) for c in curves), 4.0 * float(np.quantile(density, 0.9)) + float(np.median(density)))
    panel = Panel(box, (0.0, last), (0.0, most * 1.06))
    _filled(drawing, panel, x, np.minimum(density, most), fit.tau.interval)
    if prior is not None:
        panel.curve(drawing, list(zip(x.tolist(), prior.tolist(), strict=True)), stroke=QUIET, width=1.6, dash="6 4")
    panel.curve(drawing, list(zip(x.tolist(), density.tolist(), strict=True)), stroke=MARK, width=2.0)
    panel.frame(drawing, "τ (between-study SD)", "Density")
    keys: list[tuple[str, str | None, str]] = [(MARK, None, "posterior")]
    _key(drawing, panel, [*keys, (QUIET, "6 4", "prior")] if prior is not None else keys)


def _filled(drawing: Drawing, panel: Panel, x: Any, density: Any, interval: Any) -> None:
    inside = (x >= interval.low) & (x <= interval.high)
    upper = list(zip(x[inside].tolist(), density[inside].tolist(), strict=True))
    panel.band(drawing, [(a, 0.0) for a, _ in upper], upper, fill=BAND)


def _key(drawing: Drawing, panel: Panel, rows: list[tuple[str, str | None, str]]) -> None:
    x, y = panel.left, panel.bottom + 66
    for colour, dash, words in rows:
        drawing.line(x, y - 4, x + 24, y - 4, stroke=colour, dash=dash, width=2.0)
        drawing.text(x + 30, y, words, size=11.5)
        x += 30 + text_width(words, 11.5) + 20
