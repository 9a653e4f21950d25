"""How much the result owes to each study: pool again without it."""

from __future__ import annotations

import numpy as np

from balm.stats.pooling.again import nothing, pool_again
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.series import Series
from balm.vocabulary.problems import InputError


class LeaveOneOut(Series):
    """``fits[i]`` is the result without ``study[i]``."""


def leave_one_out(fit: Pooled) -> LeaveOneOut:
    """The result without each of the pooled studies in turn, with all choices of ``fit``.

    fit : a result of :func:`balm.pool`, :func:`balm.mantel_haenszel` or :func:`balm.peto`.

    Columns: ``.estimate .se .low .high .statistic .p .tau2 .i2 .h2 .q .q_p``, each (k,), and ``.fits`` in full.
    Studies that ``fit`` had left out stay out.  With one study there is nothing left: that row is not estimable.
    Thousands of analyses at once, as columns: :func:`balm.stats.pooling.leave_one_out_many.leave_one_out_many`.
    Cochrane Handbook, section 10.14; Viechtbauer & Cheung (2010) Res Synth Methods 1:112.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04], study=["A", "B", "C"])
    >>> leave_one_out(pool(es, model="common")).estimate.round(4).tolist()
    [0.55, 0.45, 0.2]
    """
    if not isinstance(fit, Pooled):
        raise InputError(
            f"leave_one_out takes a result of balm.pool, mantel_haenszel or peto; got {type(fit).__name__}"
        )
    es = fit.effects
    k = len(es)
    if k == 1:
        return LeaveOneOut(es.study, (nothing(fit, es),), fit)
    own = fit.own_weights
    rows = np.arange(k)
    fits = tuple(pool_again(fit, es[rows != i], own_weights=None if own is None else own[rows != i]) for i in range(k))
    return LeaveOneOut(es.study, fits, fit)
