"""How the result grew: pool the first study, the first two, and so on."""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.columns import labels
from balm.stats.pooling.again import pool_again
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.series import Series
from balm.vocabulary.problems import InputError


class Cumulative(Series):
    """``fits[i]`` is the result up to and including ``study[i]``, in the order of adding."""


def cumulative(fit: Pooled, order: Any = None) -> Cumulative:
    """The result after each study has been added, with all choices of ``fit``.

    fit   : a result of :func:`balm.pool`, :func:`balm.mantel_haenszel` or :func:`balm.peto`.
    order : (k,) values to sort the pooled studies by (years, say; ties keep their order), or a list of all their labels
            in the order wanted.  The order of the data by default.

    The repeated tests are not corrected for looking again and again.  Lau et al. (1992) N Engl J Med 327:248.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04], study=["A", "B", "C"])
    >>> cumulative(pool(es, model="common"), order=[2001, 1999, 2010]).study
    ('B', 'A', 'C')
    """
    if not isinstance(fit, Pooled):
        raise InputError(f"cumulative takes a result of balm.pool, mantel_haenszel or peto; got {type(fit).__name__}")
    rows = _order(fit, order)
    es, own = fit.effects, fit.own_weights
    fits = tuple(
        pool_again(fit, es[rows[: i + 1]], own_weights=None if own is None else own[rows[: i + 1]])
        for i in range(len(rows))
    )
    return Cumulative(tuple(es.study[i] for i in rows), fits, fit)


def _order(fit: Pooled, order: Any) -> np.ndarray[Any, np.dtype[np.intp]]:
    names = fit.effects.study
    k = len(names)
    if order is None:
        return np.arange(k)
    if isinstance(order, str) or not hasattr(order, "__len__"):
        raise InputError(f"order must be one value a pooled study, or all their labels; got {order!r}")
    if len(order) != k:
        raise InputError(f"order has {len(order)} entries for {k} pooled studies ({', '.join(names)})")
    values = list(order.tolist() if hasattr(order, "tolist") else order)
    if all(isinstance(v, str) for v in values) and sorted(values) == sorted(names) and len(set(names)) == k:
        return np.array([names.index(v) for v in labels(values, None, k)])
    missing = [names[i] for i, v in enumerate(values) if v is None or v != v]
    if missing:
        raise InputError(f"order is missing for {', '.join(missing)}")
    try:
        return np.array(sorted(range(k), key=lambda i: values[i]))
    except TypeError:
        raise InputError("order mixes kinds of values; give numbers, dates or labels throughout") from None
