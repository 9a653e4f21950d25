"""Cluster-randomised trials analysed as if individuals had been randomised: correct their precision."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.arms import events_of
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.sources import handbook
from balm.vocabulary.problems import refuse

TOPIC = "Cluster trials"
ICC_ASSUMED = "the intracluster correlation holds for this outcome; vary it in a sensitivity analysis"


def _design_effect(icc: Any, cluster_size: Any, cv: Any) -> tuple[float, list[str]]:
    icc = checks.share("icc", icc, "an intracluster correlation, often 0.01 to 0.05")
    m = checks.number("cluster_size", cluster_size)
    if m < 1:
        refuse(f"cluster_size must be at least 1; got {cluster_size!r}: participants divided by clusters")
    if cv is None:
        return 1 + (m - 1) * icc, [ICC_ASSUMED, "clusters are of similar size"]
    return 1 + ((1 + checks.standard_deviation("cv", cv) ** 2) * m - 1) * icc, [ICC_ASSUMED]


@conversion(
    topic=TOPIC,
    formula="design effect = 1 + (M − 1)·ICC; with unequal clusters 1 + ((1 + CV²)M − 1)·ICC",
    source=handbook("23.1.4") + "; unequal clusters: Eldridge, Ashby & Kerry (2006), Int J Epidemiol 35:1292",
    arrays=True,
)
def design_effect(*, icc: Number, cluster_size: Number, cv: Number = None) -> Found:
    """By how much clustering inflates a variance.

    ``cluster_size``: the mean number of participants a cluster, M; ``cv``: its coefficient of variation, if known.

    >>> round(float(design_effect(icc=0.02, cluster_size=29.8)), 3)
    1.576
    """
    effect, assumptions = _design_effect(icc, cluster_size, cv)
    return found(design_effect=effect, assumes=assumptions)


@conversion(
    topic=TOPIC,
    formula="effective n = n / design effect; effective events = events / design effect",
    source=handbook("23.1.4") + " and 23.1.5",
)
def effective_sample_size(
    *, n: Number, icc: Number, cluster_size: Number, events: Number = None, cv: Number = None
) -> Found:
    """Participants (and events) of a cluster trial reduced to what they are worth; means and SDs stay as they are.

    >>> found = effective_sample_size(n=295, events=63, icc=0.02, cluster_size=29.8)
    >>> round(found.n, 1), round(found.events, 1)
    (187.2, 40.0)
    """
    effect, assumptions = _design_effect(icc, cluster_size, cv)
    n = checks.size("n", n)
    values = {"n": n / effect, "design_effect": effect}
    if events is not None:
        values["events"] = events_of("events", events, n) / effect
    return found(values, assumes=assumptions)


@conversion(
    topic=TOPIC, formula="SE' = SE × √(design effect)", source=handbook("23.1.4") + " and 23.1.6", increasing=("se",)
)
def se_inflated_for_clustering(*, se: Number, icc: Number, cluster_size: Number, cv: Number = None) -> Found:
    """Standard error of an effect from a cluster trial, corrected for the clustering its analysis ignored.

    >>> round(float(se_inflated_for_clustering(se=0.1, icc=0.02, cluster_size=29.8)), 4)
    0.1255
    """
    effect, assumptions = _design_effect(icc, cluster_size, cv)
    return found(se=checks.positive("se", se) * math.sqrt(effect), assumes=assumptions)
