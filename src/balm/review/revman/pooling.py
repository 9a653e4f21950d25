"""Studies pooled as RevMan pools them: its conventions for zero cells, Q, I2, and studies with events in everyone.

Used both where RevMan's own numbers are computed again and where a review package asks for ``profile = "revman5"`` or
``"revman-web"``, so that the two cannot drift apart.  Deeks & Higgins (2010), "Statistical algorithms in Review Manager
5"; Cochrane Methods (2022 to 2025), "Random-effects meta-analysis methods for Intervention Reviews".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled

#: The profiles that stand for a RevMan.
REVMAN_PROFILES = ("revman5", "revman-web")


def pool_as_revman(
    es: EffectSizes,
    *,
    method: str,
    model: str,
    tau2: str | float = "DL",
    inference: str = "wald",
    prediction: str = "none",
    profile: str = "revman5",
    level: float = 0.95,
) -> Pooled:
    """The total of ``es`` by RevMan's method: "mantel-haenszel", "peto" (2x2 tables or O-E with V), "inverse-variance".

    model, tau2, inference, prediction, level : as for :func:`balm.pool`; under ``model="common"`` only level counts.
    profile : "revman5" takes I2 from Q, "revman-web" from tau2 under random effects.
    """
    random: dict[str, Any] = {}
    if model == "random":
        random = {"inference": inference, "i2": "from-tau2" if profile == "revman-web" else None}
        random["prediction"] = prediction
    if method == "peto":
        return peto(es, profile="revman5", model=model, level=level, **random)
    if method == "mantel-haenszel" and (tau2 == "DL" or model == "common"):
        return mantel_haenszel(es, profile="revman5", model=model, level=level, **random)
    if model == "common":
        return pool(es, model="common", profile="revman5", level=level)
    fit = pool(es, profile="revman5", model="random", tau2=tau2, level=level, **random)
    if method == "mantel-haenszel":
        # RevMan Web keeps the Mantel-Haenszel estimate as the centre of Q whatever the estimator of tau2
        around = mantel_haenszel(es, profile="revman5", model="common", level=level)
        fit = replace(fit, q=around.q, q_df=around.q_df, q_p=around.q_p)
    return fit


def with_everyone(es: EffectSizes) -> EffectSizes:
    """Risk ratios of studies with events in everyone count in RevMan: a ratio of exactly 1, variance from n + 1.

    In Mantel-Haenszel sums such a study has its weight from the corrected cells and a ratio of 1; where the groups
    differ in size the corrected cells alone give another ratio, so its events in group 1 are moved to where they
    give 1.
    """
    raw = dict(es.raw)
    everyone = (raw["events_1"] == raw["n_1"]) & (raw["events_2"] == raw["n_2"])
    if not everyone.any():
        return es
    variance = sum(1.0 / (raw[f"n_{g}"] + 0.5) - 1.0 / (raw[f"n_{g}"] + 1.0) for g in (1, 2))
    n_1, n_2 = raw["n_1"], raw["n_2"]
    raw["events_1"] = np.where(everyone, (n_1 + 1.0) * (n_2 + 0.5) / (n_2 + 1.0) - 0.5, raw["events_1"])
    return EffectSizes(
        np.where(everyone, 0.0, es.effect),
        np.where(everyone, variance, es.variance),
        es.study,
        es.measure,
        raw,
        es.conventions,
        es.explicit,
        es.note,
        es.estimable | everyone,
        es.double_zero & ~everyone,
        es.dropped,
    )
