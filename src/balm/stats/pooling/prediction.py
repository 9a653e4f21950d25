"""Prediction intervals: where the effect of a new study like these would lie.

All but the last are ``mu +/- crit * sqrt(tau2 + SE**2)``. A row names the SE and the degrees of freedom; the plain
names take the SE of the interval in force, as metafor does, and the others fix it (meta's names in brackets). The last
allows for the uncertainty of tau2 and has ends of its own (:mod:`balm.stats.pooling.confidence_distribution`).

Sources: Higgins, Thompson & Spiegelhalter 2009 (J R Stat Soc A 172:137); Partlett & Riley 2017 (Stat Med 36:301);
Veroniki et al. 2019 (Res Synth Methods 10:23); Nagashima, Noma & Furukawa 2019 (Stat Methods Med Res 28:1689).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True)
class Prediction:
    """``error``: whose SE ("in-force": of the mean's interval; "own": none); ``df``: k-1, k-2, Kenward-Roger's."""

    name: str
    title: str
    error: str
    df: str


#: Name -> row.
PREDICTIONS: Mapping[str, Prediction] = MappingProxyType(
    {
        row.name: row
        for row in (
            Prediction("t-k-1", "t with k - 1 degrees of freedom", "in-force", "k-1"),
            Prediction("t-k-2", "t with k - 2 degrees of freedom", "in-force", "k-2"),
            Prediction("normal", "normal quantile", "in-force", "normal"),
            Prediction(
                "as-inference", "the quantile and standard error of the mean's interval", "in-force", "in-force"
            ),
            Prediction("wald-normal", "Wald standard error, normal quantile (S)", "wald", "normal"),
            Prediction("wald-t-k-1", "Wald standard error, t with k - 1 (V)", "wald", "k-1"),
            Prediction("wald-t-k-2", "Wald standard error, t with k - 2 (HTS)", "wald", "k-2"),
            Prediction(
                "hartung-knapp-t-k-1", "Hartung-Knapp standard error, t with k - 1 (HK)", "hartung-knapp", "k-1"
            ),
            Prediction(
                "hartung-knapp-t-k-2", "Hartung-Knapp standard error, t with k - 2 (HK-PR)", "hartung-knapp", "k-2"
            ),
            Prediction("kenward-roger", "Kenward-Roger standard error, t with its df (KR)", "kenward-roger", "kr"),
            Prediction("kenward-roger-df-1", "Kenward-Roger, t with its df less 1 (KR-PR)", "kenward-roger", "kr-1"),
            Prediction(
                "confidence-distribution",
                "the confidence distribution of τ², Hartung-Knapp standard errors (NNF)",
                "own",
                "own",
            ),
            Prediction("none", "none", "in-force", "in-force"),
        )
    }
)
