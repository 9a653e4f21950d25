"""One ratio a study, pooled by itself: diagnostic odds ratio and likelihood ratios, as ratios of 2x2 tables."""

from __future__ import annotations

from typing import Any

from balm.stats.accuracy.tables import Tables
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.problems import check_option

#: Ratio -> measure of a 2x2 table, and the cells that count as its events among people with and without the condition.
RATIOS = {"DOR": ("OR", "tp", "fp"), "LR+": ("RR", "tp", "fp"), "LR-": ("RR", "fn", "tn")}


def pooled_ratio(
    t: Tables, ratio: str = "DOR", *, method: str = "inverse-variance", add: float = 0.5, to: str = "only-zero",
    **options: Any,
) -> Pooled:  # fmt: skip
    """Pool the diagnostic odds ratio or a likelihood ratio of each study, with the options of :func:`balm.pool`.

    ratio  : "DOR", "LR+" (of a positive test) or "LR-" (of a negative one).
    method : "inverse-variance" (``tau2="DL", inference="wald"`` is the method of DerSimonian and Laird), or
             "mantel-haenszel" with the options of :func:`balm.mantel_haenszel`; that pools the counts as they are.

    Pooled likelihood ratios can contradict each other and the pooled sensitivity and specificity: those of
    :func:`balm.accuracy` follow from the bivariate model (Zwinderman & Bossuyt 2008, Stat Med 27:687-97).
    """
    check_option("ratio", ratio, list(RATIOS))
    check_option("method", method, ("inverse-variance", "mantel-haenszel"))
    measure, ill, well = RATIOS[ratio]
    counts = {
        "study": t.study,
        "events_1": getattr(t, ill),
        "n_1": t.diseased,
        "events_2": getattr(t, well),
        "n_2": t.healthy,
    }
    if method == "mantel-haenszel":
        from balm.stats.pooling.mantel_haenszel import mantel_haenszel

        return mantel_haenszel(measure, add=add, to=to, **counts, **options)
    from balm.stats.effect_sizes import effect_sizes
    from balm.stats.pooling.pool import pool

    return pool(effect_sizes(measure, add=add, to=to, **counts), **options)
