"""Pool rare events by Firth's penalised likelihood: a common effect that stays finite where a group has no events."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.glmm.pooled_counts import PooledCounts
from balm.stats.pooling.around_estimate import exclude, taken
from balm.stats.tails import OneTail, chi2_quantile, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level, check_option

MEASURES = ("OR", "IRR")
INFERENCES = ("profile-likelihood", "wald")
MOST_STEPS = 2000


class Penalised(NamedTuple):
    """Where the penalised score is 0: effect, study levels (of group 2), penalised log-likelihood, information."""

    effect: float
    levels: Floats
    height: float
    information: float
    shares: Floats
    residual: float


def climb(
    code: str, cells: tuple[Floats, ...], *, held: float | None = None, start: Penalised | None = None
) -> Penalised:
    """Fisher scoring on Firth's modified score; ``held`` keeps the effect where it is.

    Each group's events grow by half its leverage and, for odds, its non-events too; the leverages follow from the
    information matrix, which is an arrow (one effect, one level a study).
    """
    x_1, n_1, x_2, n_2 = cells
    odds = code == "OR"
    if start is not None:
        beta, levels = start.effect, start.levels
    elif odds:
        beta, levels = 0.0, np.log((x_1 + x_2 + 0.5) / (n_1 + n_2 - x_1 - x_2 + 0.5))
    else:
        beta, levels = 0.0, np.log((x_1 + x_2 + 0.5) / (n_1 + n_2))
    beta = beta if held is None else held
    residual = math.inf
    for _ in range(MOST_STEPS):
        mean_1, w_1, log_1 = _cell(odds, x_1, n_1, levels + beta)
        mean_2, w_2, log_2 = _cell(odds, x_2, n_2, levels)
        both = w_1 + w_2
        share = w_1 * w_2 / both
        total = float(share.sum())
        # Leverages: diagonal of W^(1/2) Z I^-1 Z' W^(1/2).
        hat_1 = w_1 / both + w_1 * (w_2 / both) ** 2 / total
        hat_2 = w_2 / both + w_2 * (w_1 / both) ** 2 / total
        lean_1 = hat_1 * (0.5 - mean_1 / n_1) if odds else 0.5 * hat_1
        lean_2 = hat_2 * (0.5 - mean_2 / n_2) if odds else 0.5 * hat_2
        score_1 = x_1 - mean_1 + lean_1
        score_2 = x_2 - mean_2 + lean_2
        level_score = score_1 + score_2
        reduced = float(np.sum(score_1 - w_1 / both * level_score))
        step = 0.0 if held is not None else reduced / total
        moves = (level_score - w_1 * step) / both
        residual = max(abs(step) * math.sqrt(total), float(np.max(np.abs(moves) * np.sqrt(both))))
        height = float(np.sum(log_1 + log_2)) + 0.5 * (float(np.sum(np.log(both))) + math.log(total))
        if residual < 1e-11:
            break
        longest = max(abs(step), float(np.abs(moves).max()))
        fraction = min(1.0, 2.0 / longest)
        beta += fraction * step
        levels = levels + fraction * moves
    return Penalised(beta, levels, height, total, share, residual)


def _cell(odds: bool, x: Floats, n: Floats, eta: Floats) -> tuple[Floats, Floats, Floats]:
    """Expected events, their variance, log-likelihood without its constant."""
    if odds:
        p = 1.0 / (1.0 + np.exp(-eta))
        return n * p, n * p * (1.0 - p), x * eta - n * np.logaddexp(0.0, eta)
    mean = n * np.exp(eta)
    return mean, mean, x * eta - mean


def firth(
    measure: str | EffectSizes,
    *,
    data: Any = None,
    study: Any = None,
    inference: str = "profile-likelihood",
    level: float = 0.95,
    missing: str = "raise",
    **columns: Any,
) -> PooledCounts:
    """The common odds ratio or rate ratio by penalised likelihood, with a level of its own for each study.

    measure   : "OR" (``events_1, n_1, events_2, n_2``), "IRR" (``events_1, time_1, events_2, time_2``), or
                :class:`balm.EffectSizes` made from such columns.
    inference : "profile-likelihood" (of the penalised likelihood, the default: the likelihood of rare events is
                skewed) or "wald".

    The penalty is half the log determinant of the information (Jeffreys' prior).  It removes the first-order bias of
    the estimate and keeps it finite where one group has no events in any study.  Studies without events (or with
    events only) in both groups are left out.  Heterogeneity is not part of the model.

    Sources: Firth 1993 (Biometrika 80:27); Heinze & Schemper 2002 (Stat Med 21:2409).

    >>> found = firth("OR", events_1=[0, 0], n_1=[30, 41], events_2=[3, 2], n_2=[29, 40])
    >>> round(found.estimate, 3), found.interval.high < 0
    (-2.499, True)
    """
    es = taken(measure, MEASURES, "firth", None, {"data": data, "study": study, "missing": missing}, columns)
    check_option("inference", inference, INFERENCES)
    check_level(level)
    code = es.measure
    size = "n" if code == "OR" else "time"
    names = ("events_1", f"{size}_1", "events_2", f"{size}_2")
    if any(name not in es.raw for name in names):
        raise InputError(f"firth needs the counts behind the effects ({', '.join(names)})")
    kept, excluded = exclude(es, es.double_zero)
    if kept is None:
        raise InputError(f"no study can be pooled: {'; '.join(f'{s} ({why})' for s, why in excluded)}")
    cells = tuple(np.asarray(kept.raw[name], dtype=np.float64) for name in names)
    top = climb(code, cells)
    k, nan = len(kept), math.nan
    not_here = "heterogeneity is not part of this model"
    reasons = dict.fromkeys(("tau2_se", "i2", "h2", "q", "q_p", "prediction_interval"), not_here)
    conventions = MappingProxyType({"method": "firth", "model": "common", "inference": inference, "level": level})
    nothing = Interval(nan, nan, level)
    if not top.residual < 1e-7:
        why = f"not estimable: the search stopped {top.residual:.2g} standard errors from an optimum"
        reasons |= dict.fromkeys(("estimate", "se", "interval", "statistic", "p"), why)
        return PooledCounts(
            nan, nan, nothing, nan, math.inf, nan, 0.0, nan, nan, nan, nan, k - 1, nan, k, np.full(k, nan), nothing,
            kept, excluded, "firth", conventions, MappingProxyType(reasons), (why.capitalize() + ".",), top.residual,
        )  # fmt: skip
    se = 1.0 / math.sqrt(top.information)
    statistic = top.effect / se
    p = OneTail.two_sided(statistic, math.inf)
    half = t_critical(level, math.inf) * se
    low, high = top.effect - half, top.effect + half
    if inference == "profile-likelihood":

        def fall(value: float) -> float:
            return 2.0 * (top.height - climb(code, cells, held=value, start=top).height)

        limit = chi2_quantile(level, 1.0)
        low, high = (_end(fall, top.effect, side * 2.0 * se, limit) for side in (-1.0, 1.0))
        at_null = max(fall(0.0), 0.0)
        statistic, p = math.copysign(math.sqrt(at_null), top.effect), chi2_sf(at_null, 1.0)
    return PooledCounts(
        estimate=top.effect,
        se=se,
        interval=Interval(low, high, level),
        statistic=statistic,
        df=math.inf,
        p=p,
        tau2=0.0,
        tau2_se=nan,
        i2=nan,
        h2=nan,
        q=nan,
        q_df=k - 1,
        q_p=nan,
        k=k,
        weights=100.0 * top.shares / top.information,
        prediction_interval=nothing,
        effects=kept,
        excluded=excluded,
        method="firth",
        conventions=conventions,
        reasons=MappingProxyType(reasons),
        residual=top.residual,
        log_likelihood=nan,
        given=es if excluded else None,
    )


def _end(fall: Any, centre: float, step: float, limit: float) -> float:
    from scipy.optimize import brentq

    inside, outside = centre, centre + step
    for _ in range(40):
        if fall(outside) > limit:
            return float(brentq(lambda x: fall(x) - limit, inside, outside, xtol=1e-10, rtol=1e-12))
        inside, outside = outside, outside + step
    return math.copysign(math.inf, step)
