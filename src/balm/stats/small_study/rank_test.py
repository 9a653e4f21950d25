"""Begg and Mazumdar's rank correlation test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.kendall import kendall
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.studies import SAME, check_enough, studies_of
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError

#: Up to here counting all orderings takes less than a moment; beyond it the normal approximation is as good.
EXACT_BELOW = 151


def rank_test(
    fit: Pooled | EffectSizes,
    *,
    exact: bool | None = None,
    force: bool = False,
    cluster: Any = None,
    level: float = 0.95,
) -> SmallStudyTest:
    """Whether effects rise or fall with their variances: Kendall's rank correlation of the two.

    Effects are standardised around the common-effect mean m, ``(y - m) / sqrt(v - 1/sum(1/v))``, so that they are
    independent of v when there are no small-study effects. ``.tau`` is Kendall's tau, ``.statistic`` its z.

    exact   : p from all orderings (``True``; needs data without ties) or normal, without continuity correction
              (``False``). By default exact for up to 150 studies without ties.
    force   : compute it with fewer than ten studies, which the test does not do by itself.
    cluster : refused: ranks take every effect for a study of its own; see :func:`balm.small_study_test`.

    Begg & Mazumdar (1994), Biometrics 50:1088. Its power is low below 25 studies.

    >>> es = EffectSizes(effect=[0.1, 0.5, 0.4, 0.9], variance=[0.01, 0.03, 0.02, 0.08])
    >>> found = rank_test(es, force=True)
    >>> round(found.tau, 4), round(found.p, 4)
    (1.0, 0.0833)
    """
    es = studies_of(fit, "Begg's test")
    advice = check_enough(len(es), "Begg's test", force=force, cluster=cluster)
    weights = 1.0 / es.variance
    total = float(np.sum(weights))
    mean = float(weights @ es.effect) / total
    away = es.effect - mean
    # Equal effects leave only rounding, which must not be ranked.
    away = np.where(np.abs(away) <= SAME * float(np.max(np.abs(es.effect))), 0.0, away)
    standard = away / np.sqrt(es.variance * (1.0 - weights / total))
    wanted = len(es) < EXACT_BELOW if exact is None else exact
    found = kendall(standard, np.asarray(es.variance), exact=wanted)
    if exact and found.ties:
        raise InputError("exact=True needs effects and variances without ties; leave exact= out to use the normal one")
    if math.isnan(found.z):
        same = "All variances" if np.ptp(es.variance) == 0.0 else "All standardised effects"
        advice = (f"{same} are equal: there is nothing to rank.", *advice)
    elif found.ties and exact is None and len(es) < EXACT_BELOW:
        advice = (*advice, "There are ties: p is from the normal distribution, with the variance for ties.")
    return SmallStudyTest(
        method="begg",
        name="Begg and Mazumdar's rank correlation test",
        source="Begg CB, Mazumdar M. Biometrics 1994;50:1088-101",
        statistic=found.z,
        df=math.inf,
        p=found.p,
        predictor="",
        model="rank",
        tau2=math.nan,
        line=None,
        limit=math.nan,
        limit_interval=Interval(math.nan, math.nan, level),
        kendall=found,
        k=len(es),
        level=level,
        advice=advice,
    )
