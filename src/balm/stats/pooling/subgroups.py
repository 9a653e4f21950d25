"""Subgroup analysis: a result for each group of studies, and a test of whether they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from types import MappingProxyType
from typing import Any

from balm.stats.arrays import np
from balm.stats.columns import labels
from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes
from balm.stats.frame import frame
from balm.stats.pooling.again import pool_again
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import TABLES, as_peto, peto
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.profiles import PROFILES
from balm.stats.regression.between_study_variance import estimate as estimate_left
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_option

_METHODS = MappingProxyType({"inverse-variance": pool, "mantel-haenszel": mantel_haenszel, "peto": peto})


@dataclass(frozen=True, eq=False)
class Subgroups:
    """``groups`` maps each label to its result, in the order of first appearance; ``overall`` pools all studies.

    q_between, q_between_df, q_between_p : chi-square test of no difference between the groups that have an estimate.
    tau2_common : whether one between-study variance was taken for all groups.
    """

    groups: Mapping[str, Pooled]
    overall: Pooled
    q_between: float
    q_between_df: int
    q_between_p: float
    tau2_common: bool

    @property
    def df(self) -> int:
        """Degrees of freedom of the test between groups."""
        return self.q_between_df

    @property
    def p(self) -> float:
        """p-value of the test between groups."""
        return self.q_between_p

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, label: str) -> Pooled:
        check_option("subgroup", label, list(self.groups))
        return self.groups[label]

    def to_frame(self) -> Any:
        """A row a group and one for all studies, as a pandas table (a dict of columns without pandas)."""
        named = [*self.groups.items(), ("overall", self.overall)]
        fits = [fit for _, fit in named]
        shown = [fit.displayed for fit in fits]
        table: dict[str, Any] = {"group": [name for name, _ in named], "k": [fit.k for fit in fits]}
        for name in ("estimate", "se", "p", "tau2", "i2", "q", "q_df", "q_p"):
            table[name] = [getattr(fit, name) for fit in fits]
        table |= {
            "low": [fit.interval.low for fit in fits],
            "high": [fit.interval.high for fit in fits],
            "displayed": [d.estimate for d in shown],
            "displayed_low": [d.interval.low for d in shown],
            "displayed_high": [d.interval.high for d in shown],
        }
        return frame(table)

    def sentence(self) -> str:
        """The groups and the test between them in words."""
        return str(presenter("sentence")(self))

    def methods(self) -> str:
        """A methods paragraph that names every choice."""
        return str(presenter("methods")(self))

    def forest(self, path: Any = None, **options: Any) -> Any:
        """A forest plot with a heading, subtotal and heterogeneity for each group."""
        return presenter("forest")(self, path, **options)

    def __repr__(self) -> str:
        return str(presenter("text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("html")(self))


def subgroups(
    es: EffectSizes,
    *,
    by: Any,
    data: Any = None,
    tau2_common: bool = False,
    method: str = "inverse-variance",
    **options: Any,
) -> Subgroups:
    """Pool each group of studies on its own, and test whether the groups differ.

    es          : (k,) effects; for ``method="mantel-haenszel"`` or ``"peto"`` with the counts behind them.
    by          : (k,) the group of each study, or the name of a column of ``data``.
    tau2_common : False estimates a between-study variance in each group; True one for all of them, from what the groups
                  leave unexplained, which is steadier when groups are small.
    method      : "inverse-variance", "mantel-haenszel" or "peto".
    options     : those of :func:`balm.pool`, :func:`balm.mantel_haenszel` or :func:`balm.peto`.

    The test compares ``Q = sum (estimate - mean)^2 / se^2`` over the groups with chi-square on one degree of freedom
    less than groups.  A group none of whose studies is estimable stays in ``groups`` with ``k`` 0 and the reason.
    Borenstein et al. (2009), chapter 19; Cochrane Handbook, section 10.11.3; Deeks & Higgins (2010), section 11.

    >>> es = EffectSizes(effect=[0.1, 0.3, 0.8, 0.9], variance=[0.04, 0.04, 0.04, 0.04])
    >>> found = subgroups(es, by=["oral", "oral", "infusion", "infusion"], model="common")
    >>> {name: round(fit.estimate, 2) for name, fit in found.groups.items()}, round(found.q_between, 4)
    ({'oral': 0.2, 'infusion': 0.85}, 10.5625)
    """
    check_option("method", method, list(_METHODS))
    if not isinstance(es, EffectSizes):
        raise InputError(
            f"subgroups takes effect sizes, got {type(es).__name__}: make them with balm.effect_sizes(...)"
        )
    names = _labels(by, data, es)
    overall: Pooled = _METHODS[method](es, **options)  # type: ignore[operator]
    if tau2_common and overall.conventions["model"] == "common":
        raise InputError("tau2_common=True needs model='random': a common effect has no between-study variance")
    if overall.own_weights is not None:
        raise InputError("weights of your own cannot be divided over subgroups; leave weights out")
    profile = options.get("profile")
    derived = es if profile is None else es.under(PROFILES[profile])
    if method == "peto" and derived.measure in TABLES:
        derived = as_peto(derived)
    parts = {label: derived[[n == label for n in names]] for label in dict.fromkeys(names)}
    groups = {label: pool_again(overall, part) for label, part in parts.items()}
    if tau2_common:
        tau2 = _common_tau2(overall, list(groups.values()))
        groups = {label: pool_again(overall, part, tau2=tau2) for label, part in parts.items()}
    q, df = between(list(groups.values()))
    p = chi2_sf(q, df) if df > 0 else nan
    return Subgroups(MappingProxyType(groups), overall, q, df, p, bool(tau2_common))


def between(fits: list[Pooled]) -> tuple[float, int]:
    """``sum (estimate - mean)^2 / se^2`` over the fits that have an estimate, and its degrees of freedom."""
    known = [f for f in fits if isfinite(f.estimate) and 0.0 < f.se < inf]
    df = max(len(known) - 1, 0)
    if df == 0:
        return nan, 0
    w = np.array([f.se**-2.0 for f in known])
    y = np.array([f.estimate for f in known])
    gap = y - float(w @ y) / float(w.sum())
    return float(w @ gap**2), df


def _labels(by: Any, data: Any, es: EffectSizes) -> tuple[str, ...]:
    """The group of each study as text; none may be missing."""
    if by is None:
        raise InputError("by must give the group of each study: an array, or the name of a column of data")
    try:
        names = labels(by, data, len(es))
    except InputError as error:
        raise InputError(str(error).replace("study", "by", 1)) from None
    missing = [study for study, name in zip(es.study, names, strict=True) if name.strip() == "" or name == "nan"]
    if missing:
        raise InputError(
            f"by is missing for {', '.join(missing)}: give every study a group, or leave these studies out"
        )
    return names


def _common_tau2(overall: Pooled, fits: list[Pooled]) -> float:
    """One between-study variance from what the groups leave unexplained, by the estimator of the overall fit."""
    fits = [f for f in fits if f.k > 0]
    chosen = overall.conventions["tau2"]
    if isinstance(chosen, float):
        return chosen
    if sum(f.k - 1 for f in fits) < 1:
        raise InputError("tau2_common=True needs a group with at least two studies")
    design = np.zeros((sum(f.k for f in fits), len(fits)))
    start = 0
    for j, f in enumerate(fits):
        design[start : start + f.k, j] = 1.0
        start += f.k
    effect = np.concatenate([f.effects.effect for f in fits])
    variance = np.concatenate([f.effects.variance for f in fits])
    return float(estimate_left(effect, variance, design, str(chosen)).tau2)
