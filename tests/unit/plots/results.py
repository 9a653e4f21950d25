"""Small results to draw, pooled by the textbook formulas, so that the plots are tested apart from the statistics."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.interval import Interval

#: Colditz et al. (1994), BCG vaccine and tuberculosis: study, events and people vaccinated, events and people not.
BCG = [
    ("Aronson 1948", 4, 123, 11, 139),
    ("Ferguson & Simes 1949", 6, 306, 29, 303),
    ("Rosenthal et al 1960", 3, 231, 11, 220),
    ("Hart & Sutherland 1977", 62, 13598, 248, 12867),
    ("Frimodt-Moller et al 1973", 33, 5069, 47, 5808),
    ("Stein & Aronson 1953", 180, 1541, 372, 1451),
    ("Vandiviere et al 1973", 8, 2545, 10, 629),
    ("TPT Madras 1980", 505, 88391, 499, 88391),
    ("Coetzee & Berjak 1968", 29, 7499, 45, 7277),
    ("Rosenthal et al 1961", 17, 1716, 65, 1665),
    ("Comstock et al 1974", 186, 50634, 141, 27338),
    ("Comstock & Webster 1969", 5, 2498, 3, 2341),
    ("Comstock et al 1976", 27, 16913, 29, 17854),
]


def sizes(effect, variance, study=None, measure="GEN", raw=None, estimable=None) -> EffectSizes:
    effect = np.asarray(effect, dtype=float)
    return EffectSizes(
        effect=effect,
        variance=np.asarray(variance, dtype=float),
        study=tuple(study if study is not None else [f"Study {i + 1}" for i in range(len(effect))]),
        measure=measure,
        raw={key: np.asarray(value) for key, value in (raw or {}).items()},
        estimable=None if estimable is None else np.asarray(estimable, dtype=bool),
    )


def risk_ratios(rows=BCG) -> EffectSizes:
    a, n1, c, n2 = (np.array([row[i] for row in rows], dtype=float) for i in range(1, 5))
    none = (a == 0) & (c == 0)
    half = np.where((a == 0) | (c == 0), 0.5, 0.0)
    a_, c_, m1, m2 = a + half, c + half, n1 + 2 * half, n2 + 2 * half
    effect = np.log(a_ / m1) - np.log(c_ / m2)
    variance = 1 / a_ - 1 / m1 + 1 / c_ - 1 / m2
    effect[none] = variance[none] = np.nan
    raw = {"events_1": a, "n_1": n1, "events_2": c, "n_2": n2}
    return sizes(effect, variance, [row[0] for row in rows], "RR", raw, ~none)


def pooled(
    es: EffectSizes, model: str = "random", *, prediction: bool = True, method: str = "inverse-variance"
) -> Pooled:
    """DerSimonian-Laird or common effect, Wald interval; prediction with a normal critical value."""
    use = np.isfinite(es.effect) & np.isfinite(es.variance)
    y, v = es.effect[use], es.variance[use]
    k = len(y)
    w = 1 / v
    mean = float((w * y).sum() / w.sum())
    q = float((w * (y - mean) ** 2).sum())
    tau2 = 0.0
    if model == "random" and k > 1:
        tau2 = max(0.0, (q - (k - 1)) / float(w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (v + tau2)
    mean, se = float((w * y).sum() / w.sum()), float(1 / np.sqrt(w.sum()))
    spread = 1.96 * math.sqrt(tau2 + se**2) if prediction and model == "random" and k > 2 else math.nan
    nan = math.nan
    return Pooled(
        estimate=mean,
        se=se,
        interval=Interval(mean - 1.96 * se, mean + 1.96 * se, 0.95),
        statistic=mean / se,
        df=math.inf,
        p=math.erfc(abs(mean / se) / math.sqrt(2)),
        tau2=tau2,
        tau2_se=nan,
        i2=max(0.0, 100 * (q - k + 1) / q) if q > 0 else 0.0,
        h2=q / (k - 1) if k > 1 else nan,
        q=q,
        q_df=k - 1,
        q_p=0.5,
        k=k,
        weights=100 * w / w.sum(),
        prediction_interval=Interval(mean - spread, mean + spread, 0.95),
        effects=es,
        excluded=tuple((es.study[i], "no events in either arm") for i in range(len(es)) if not use[i]),
        method=method,
        conventions={"model": model, "tau2": "DL"},
    )


def take(es: EffectSizes, keep) -> EffectSizes:
    keep = np.asarray(keep)
    return sizes(
        es.effect[keep],
        es.variance[keep],
        [es.study[i] for i in range(len(es)) if keep[i]],
        es.measure,
        {key: values[keep] for key, values in es.raw.items()},
        None if es.estimable is None else es.estimable[keep],
    )


def grouped(es: EffectSizes, by) -> SimpleNamespace:
    """Subgroups as :func:`balm.subgroups` returns them, as far as a plot reads them."""
    names = list(dict.fromkeys(by))
    fits = [pooled(take(es, [b == name for b in by])) for name in names]
    return SimpleNamespace(
        groups=tuple(names),
        fits=tuple(fits),
        overall=pooled(es),
        q_between=4.2,
        q_between_df=len(names) - 1,
        q_between_p=0.04,
    )
