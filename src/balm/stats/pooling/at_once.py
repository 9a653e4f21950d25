"""One analysis in one call of the compiled kernel, where it is there and the options are ones it knows.

The formulas are those of :mod:`balm.stats.pooling.analysis` for the plain intervals; the tests hold the two together.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from struct import pack
from typing import Any

from balm.stats import kernel
from balm.stats.arrays import np
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.kernel import ALL_DIGITS, LARGEST_RESIDUAL, METHODS
from balm.stats.pooling.analysis import Analysis
from balm.stats.pooling.choices import Choices
from balm.stats.pooling.compiled import ERRORS, ITERATED, error_ahead, freedoms, sums_suffice
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.size import LEAST_VARIANCE, MOST_EFFECT, MOST_VARIANCE
from balm.stats.tails import OneTail, chi2_quantile, t_critical

#: What the kernel writes: the fields of :class:`Analysis` but the weights, then the log-likelihood, the ends of the
#: Q-profile interval, and the largest over the smallest variance; then the weights in per cent.
FIELDS, WEIGHTS = 22, 26

#: Places of the fields that are looked at here.
_DF, _STATISTIC, _P, _RESIDUAL, _Q, _Q_P, _TYPICAL = 2, 5, 6, 10, 11, 12, 15


def analyse_at_once(
    es: EffectSizes, choices: Choices
) -> tuple[Analysis, float, Floats, tuple[float, float, float]] | None:
    """The analysis, its log-likelihood, the weights in per cent, and both ends of the Q-profile interval with the
    typical variance; ``None`` where the kernel does not give all, or not all digits of it."""
    compiled = kernel.library()
    if compiled is None:
        return None
    k = len(es.effect)
    given = _given(k, choices.tau2, choices.model, choices.inference, choices.prediction, choices.level, choices.i2)
    if given is None:
        return None
    method, options, room = given
    out = room()
    status = compiled.balm_one(k, es.effect.tobytes(), es.variance.tobytes(), method, options, out)
    if status > 0:
        return None
    kernel.check(status)
    found = out[:WEIGHTS]
    height, low, high, span = found[FIELDS:]
    if not (span <= ALL_DIGITS and found[_RESIDUAL] <= LARGEST_RESIDUAL):
        return None
    if found[_P] < 0.0:
        found[_P] = OneTail.two_sided(found[_STATISTIC], found[_DF])
    if found[_Q_P] < 0.0:
        found[_Q_P] = OneTail.chi2_upper(found[_Q], k - 1)
    weights = np.frombuffer(out, np.float64, k, 8 * WEIGHTS)
    return Analysis(*[*found[:FIELDS], weights]), height, weights, (low, high, found[_TYPICAL])


@lru_cache(maxsize=1024)
def _given(
    k: int, tau2: Any, model: str, inference: str, prediction: str, level: float, i2: str
) -> tuple[int, bytes, Any] | None:
    """The kernel's number for the estimator, what it takes besides the studies, and room for what it writes."""
    if model != "random" or tau2 not in ITERATED or not sums_suffice(inference, prediction):
        return None
    df, beyond = freedoms(k, inference, prediction)
    tail = 0.5 * (1.0 - level)
    options = (
        *(LEAST_VARIANCE, MOST_VARIANCE, MOST_EFFECT),
        *(ERRORS[INFERENCES[inference].error], df, t_critical(level, df)),
        1.0 if i2 == "from-q" else 0.0,
        *(error_ahead(prediction), beyond, t_critical(level, beyond)),
        *(chi2_quantile(tail, k - 1), chi2_quantile(1.0 - tail, k - 1)),
    )
    return METHODS[tau2], pack(f"{len(options)}d", *options), ctypes.c_double * (WEIGHTS + k)
