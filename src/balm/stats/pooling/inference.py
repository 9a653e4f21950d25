"""Intervals and tests for the mean: the standard error and the reference distribution, one row each.

All of them pair ``mu / SE`` with a critical value; they differ in SE and degrees of freedom (the profile-likelihood and
Henmi-Copas intervals have ends of their own).

Sources: Hartung & Knapp 2001 (Stat Med 20:3875); Sidik & Jonkman 2002 (Stat Med 21:3153); the floor ``max(1, q)``:
Knapp & Hartung 2003 (Stat Med 22:2693), Röver, Knapp & Friede 2015 (BMC Med Res Methodol 15:99); Kenward & Roger 1997
(Biometrics 53:983) with expected information, Partlett & Riley 2017 (Stat Med 36:301); IQWiG: General Methods 6.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.weighted import trace_pp
from balm.stats.pooling.henmi_copas import henmi_copas_ends
from balm.stats.pooling.profile_interval import profile_ends
from balm.vocabulary.quick_dataclass import dataclass

_RANDOM = ("random",)
_ANY = ("random", "common", "ivhet")


@dataclass(frozen=True)
class Inference:
    """``error``: which SE; ``df``: "normal", "k-1" or "kenward-roger"; ``any_weights``: holds for given weights too.

    ``ends(g, mean, se, tau2, level, null)``, where the interval is not ``mean +/- crit * SE``: low, high, statistic, p.
    """

    name: str
    title: str
    error: str
    df: str
    models: tuple[str, ...] = _RANDOM
    any_weights: bool = False
    ends: Callable[[OneGroup, float, float, float, float, float], tuple[float, float, float, float]] | None = None


#: Name -> row.
INFERENCES: Mapping[str, Inference] = MappingProxyType(
    {
        row.name: row
        for row in (
            Inference("wald", "Wald", "wald", "normal", _ANY, True),
            Inference("t", "Wald-type with t(k - 1)", "wald", "k-1", _ANY, True),
            Inference("hartung-knapp", "Hartung-Knapp", "hartung-knapp", "k-1", any_weights=True),
            Inference(
                "hartung-knapp-guarded",
                "Hartung-Knapp, never below Wald's standard error",
                "guarded",
                "k-1",
                any_weights=True,
            ),
            Inference("hartung-knapp-wider", "the wider of Hartung-Knapp's and Wald's interval", "wider", "k-1"),
            Inference("hartung-knapp-iqwig", "Hartung-Knapp with the IQWiG rule", "iqwig", "k-1"),
            Inference("kenward-roger", "Kenward-Roger", "kenward-roger", "kenward-roger"),
            Inference("profile-likelihood", "profile likelihood", "wald", "normal", ends=profile_ends),
            Inference("henmi-copas", "Henmi-Copas", "wald", "normal", ("ivhet",), ends=henmi_copas_ends),
        )
    }
)


def hartung_knapp_factor(g: Any, w: Any, residual: Any) -> Any:
    """``q = sum w (y - mu)**2 / (k - 1)``: the square of Hartung-Knapp's SE over Wald's.

    w : ``1 / (v + tau2)``, also where the mean has weights of its own: q then scales the model's variance, and
        ``residual`` is counted from the mean with these w.
    """
    return g.dot(w * residual, residual) / (g.k - 1)


def kenward_roger(g: Any, w: Any) -> tuple[Any, Any]:
    """Kenward-Roger's variance of the mean and its degrees of freedom, with expected information.

    With one coefficient the scale factor is 1 and the degrees of freedom reduce to ``2 / A``,
    ``A = var(tau2) (sum w**2 * variance)**2`` with ``var(tau2) = 2 / tr PP`` and the adjusted variance of the mean
    (Partlett & Riley 2017, appendix).
    """
    total, squares = g.sum(w), g.dot(w, w)
    information = trace_pp(g, w)
    inflation = (4.0 / information) * (g.dot(w * w, w) - squares * squares / total) / total
    variance = (1.0 + inflation) / total
    return variance, information / (squares * variance) ** 2
