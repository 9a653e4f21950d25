"""How results of R's meta package are compared with ours: its field names, and our values for them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from balm.stats.pooling.pooled import Pooled
from tests.reference.golden import close, close_p, number


def shared_fields(fit: Pooled, end: str) -> dict[str, float]:
    """Estimate, interval and test of one model; ``end`` is meta's suffix, "common" or "random"."""
    return {
        f"TE_{end}": fit.estimate,
        f"seTE_{end}": fit.se,
        f"lower_{end}": fit.interval.low,
        f"upper_{end}": fit.interval.high,
        f"stat_{end}": fit.statistic,
        f"pval_{end}": fit.p,
    }


def random_fields(fit: Pooled) -> dict[str, float]:
    """Heterogeneity, prediction and the random-effects mean."""
    return {
        **shared_fields(fit, "random"),
        "df_random": fit.df,
        "tau2": fit.tau2,
        "tau": fit.tau,
        "se_tau2": fit.tau2_se,
        "Q": fit.q,
        "df_Q": fit.q_df,
        "pval_Q": fit.q_p,
        "H": max(1.0, math.sqrt(fit.q / fit.q_df)) if fit.q_df else math.nan,
        "I2": max(0.0, 1.0 - fit.q_df / fit.q) if fit.q else 0.0,
        "lower_predict": fit.prediction_interval.low,
        "upper_predict": fit.prediction_interval.high,
        "df_predict": fit.prediction_df,
    }


def mismatches(name: str, got: dict[str, Any], want: dict[str, Any], tol: float, skip: Iterable[str] = ()) -> list[str]:
    """The fields that both have and that differ, in words."""
    wrong = []
    for field, value in got.items():
        if field in skip or field not in want:
            continue
        compare = close_p if field.startswith("pval") else close
        target = want[field]
        if not isinstance(target, list) and isinstance(target, str) and "Inf" not in target:
            continue
        if not compare(value, target, tol):
            shown = target if isinstance(target, list) else number(target)
            wrong.append(f"{name} {field}: got {value!r}, want {shown!r}")
    return wrong
