"""The weighted mean of a group, its residuals, and the traces of its projection matrix.

With weights ``w`` (diagonal W) the projection is ``P = W - w w'/sum(w)``: it takes out the weighted mean. Its traces
are written relative to the most precise study (see :mod:`balm.stats.groups`), as sums of positive terms.
"""

from __future__ import annotations

from typing import Any


def mean_and_residuals(g: Any, w: Any) -> tuple[Any, Any, Any]:
    """Sum of weights, weighted mean, and effects minus that mean."""
    total = g.sum(w)
    mean = g.dot(w, g.effect) / total
    return total, mean, g.effect - g.spread(mean)


def trace_p(g: Any, w: Any) -> Any:
    """``tr P = sum(w) - sum(w**2) / sum(w)``; exact to rounding for any weights that decrease with the variance."""
    others = w * g.rest
    first, u = g.lead(w), g.sum(others)
    return (2.0 * first * u + u * u - g.dot(others, others)) / (first + u)


def total_without_each(g: Any, w: Any) -> tuple[Any, Any]:
    """``sum(w)``, and (n,) the same without each study: next to a study that has nearly all of it no digit is lost."""
    first, u = g.lead(w), g.sum(w * g.rest)
    return first + u, g.spread(u) + g.rest * (g.spread(first) - w)


def trace_pp(g: Any, w: Any) -> Any:
    """``tr PP = sum(w**2) - 2 sum(w**3)/sum(w) + (sum(w**2)/sum(w))**2``."""
    others = w * g.rest
    first, u = g.lead(w), g.sum(others)
    total = first + u
    squares = others * others
    u2, u3 = g.sum(squares), g.dot(squares, others)
    return u2 - 2.0 * u3 / total + ((first * u) ** 2 + 2.0 * first * first * u2 + u2 * u2) / (total * total)


def typical_variance(g: Any, w: Any) -> Any:
    """The typical within-study variance of Higgins & Thompson (2002, eq. 9), ``(k - 1) / tr P`` with ``w = 1/v``."""
    return (g.k - 1) / trace_p(g, w)
