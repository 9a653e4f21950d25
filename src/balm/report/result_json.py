"""A pooled result for machines: full precision, the same keys every time, ``None`` where nothing could be estimated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from balm.report.study_rows import label
from balm.stats.pooling.pooled import Pooled


def as_json(fit: Pooled) -> dict[str, Any]:
    """The result as plain dicts, lists, strings and finite numbers.

    A number that is not finite becomes ``None``; ``reasons`` then has an entry of the same name that says why.
    Effects and variances are on the analysis scale, ``displayed`` on the scale people read; I2 and weights in per cent.
    """
    shown = fit.displayed
    given = fit.conventions
    model = given.get("model", "common")
    values: dict[str, Any] = {
        "measure": fit.effects.measure,
        "model": model,
        "tau2_estimator": given.get("tau2") if model != "common" else None,
        "inference": given.get("inference"),
        "k": fit.k,
        "estimate": fit.estimate,
        "se": fit.se,
        "ci_low": fit.interval.low,
        "ci_high": fit.interval.high,
        "statistic": fit.statistic,
        "df": fit.df,
        "p": fit.p,
        "tau2": fit.tau2,
        "tau2_se": fit.tau2_se,
        "i2": fit.i2,
        "h2": fit.h2,
        "q": fit.q,
        "q_df": fit.q_df,
        "q_p": fit.q_p,
        "pi_low": fit.prediction_interval.low,
        "pi_high": fit.prediction_interval.high,
    }
    reasons = {name: _reason(fit, name, value) for name, value in values.items() if _not_finite(value)}
    return {
        **{name: plain(value) for name, value in values.items()},
        "displayed": {
            "estimate": plain(shown.estimate),
            "ci_low": plain(shown.interval.low),
            "ci_high": plain(shown.interval.high),
            "pi_low": plain(shown.prediction_interval.low),
            "pi_high": plain(shown.prediction_interval.high),
        },
        "conventions": plain({**fit.effects.conventions, **given}),
        "studies": [
            {
                "study": label(fit.effects.study, i),
                "effect": plain(fit.effects.effect[i]),
                "variance": plain(fit.effects.variance[i]),
                "weight": plain(fit.weights[i]),
            }
            for i in range(len(fit.effects))
        ],
        "excluded": [{"study": study, "reason": why} for study, why in fit.excluded],
        "advice": list(fit.advice),
        "reasons": reasons,
    }


def plain(value: Any) -> Any:
    """``value`` in the types that JSON knows; what is not finite is ``None``.

    >>> plain({"a": float("nan"), "b": (1.5, "x")})
    {'a': None, 'b': [1.5, 'x']}
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, int):
        return value
    if hasattr(value, "tolist"):  # NumPy numbers and arrays
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


#: Keys of the output that share a reason recorded under the name of the field they come from.
_FIELD = {
    "pi_low": "prediction_interval",
    "pi_high": "prediction_interval",
    "ci_low": "interval",
    "ci_high": "interval",
}


def _reason(fit: Pooled, name: str, value: float) -> str:
    if name == "df" and math.isinf(value):
        return "infinite: the reference distribution is normal"
    for key in (_FIELD.get(name, name), name):
        if key in fit.reasons:
            return str(fit.reasons[key])
    if name == "tau2_se" and "tau2" in fit.reasons:
        return str(fit.reasons["tau2"])
    if name in ("tau2", "tau2_se") and fit.conventions.get("model", "common") == "common":
        return "the common-effect model has no between-study variance"
    if name in ("pi_low", "pi_high") and fit.conventions.get("prediction", "none") == "none":
        return "no prediction interval under these conventions"
    return "infinite" if math.isinf(value) else "not estimable"


def _not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def subgroups_json(result: Any) -> dict[str, Any]:
    """The subgroups of a result: each one as :func:`as_json` gives it, and the test between them."""
    from balm.report.several_fits import groups_of

    return {
        "groups": [
            {"group": name, **(as_json(fit) if fit is not None else {"k": 0})} for name, fit in groups_of(result)
        ],
        "q_between": plain(result.q_between),
        "q_between_df": plain(result.q_between_df),
        "q_between_p": plain(result.q_between_p),
    }
