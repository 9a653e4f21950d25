"""Pool other studies with the choices of an existing fit, as leave-one-out, cumulative and subgroup analyses do."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from types import MappingProxyType
from typing import Any

from balm.stats.arrays import np
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.pooling.around_estimate import Settings, common_result, with_effects
from balm.stats.pooling.mantel_haenszel import pool_cells
from balm.stats.pooling.peto import pool_observed
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.problems import InputError

#: Options of :func:`balm.pool` that are read back from a fit's conventions.
_OPTIONS = ("model", "inference", "prediction", "i2", "level")


def pool_again(fit: Pooled, es: EffectSizes, *, tau2: float | None = None, own_weights: Floats | None = None) -> Pooled:
    """``es`` pooled as ``fit`` was: same method, model, estimator, interval and level.

    tau2        : a between-study variance to take as known (common to subgroups), instead of estimating it.
    own_weights : (k,) the caller's weights for these studies, where ``fit`` had some.
    """
    if not isinstance(fit, Pooled):
        raise InputError(
            f"a result of balm.pool, mantel_haenszel or peto is needed; got {type(fit).__name__}: pool first"
        )
    said = fit.conventions
    if fit.method == "inverse-variance":
        return _inverse_variance(fit, es, tau2, own_weights)
    settings = Settings(str(said["model"]), float(said["level"]), said)
    if fit.method == "mantel-haenszel":
        return pool_cells(es, settings, tau2=tau2)
    if fit.method == "peto":
        return pool_observed(es, settings, tau2=tau2)
    raise InputError(f"a fit by {fit.method} cannot be repeated on other studies here")


def _inverse_variance(fit: Pooled, es: EffectSizes, tau2: float | None, own_weights: Floats | None) -> Pooled:
    said = fit.conventions
    if es.double_zero.any() and said.get("double_zero") == "keep":
        es = with_effects(es, es.effect)
    if not (es.estimable & ~es.double_zero).any():
        return nothing(fit, es)
    options: dict[str, Any] = {name: said[name] for name in _OPTIONS if name in said}
    if said["model"] == "common":
        options.pop("prediction"), options.pop("i2")
    else:
        options["tau2"] = said["tau2"] if tau2 is None else tau2
        if tau2 is not None and options["inference"] == "profile-likelihood":
            raise InputError("inference='profile-likelihood' estimates tau2 itself; it cannot take a common tau2")
    if own_weights is not None:
        options["weights"] = own_weights
    found = pool(es, **options)
    kept = {name: said[name] for name in ("profile", "double_zero", "tau2", "tau2_interval") if name in said}
    return replace(found, conventions=MappingProxyType({**found.conventions, **kept}))


def nothing(fit: Pooled, es: EffectSizes) -> Pooled:
    """The result of pooling studies none of which carries information: ``nan`` throughout, with the reason."""
    settings = Settings(str(fit.conventions["model"]), fit.level, fit.conventions)
    why = tuple((label, note or "not estimable") for label, note in zip(es.study, es.note, strict=True))
    return common_result(es, settings, nan, nan, np.zeros(0), excluded=why)
