"""Which studies a test for small-study effects is made on, whether they are enough, and how it says so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.problems import InputError

#: Below ten studies a test cannot tell chance from real asymmetry (Cochrane Handbook, 13.3.5.3; BMJ 2011;343:d4002).
ENOUGH = 10
#: A line needs one study more than it has coefficients, or nothing is left to judge it by.
LEAST = 3
#: Values closer together than this, relative to their size, are the same number with rounding on top.
SAME = 1e-12

CLUSTERS = (
    "{who} has no form for several effects a study (cluster=): use small_study_test with method='random-effects', "
    "'egger' or 'pustejovsky', or average the effects of each study first (balm.stats.dependence.aggregate)"
)


def studies_of(fit: Pooled | EffectSizes, who: str) -> EffectSizes:
    """The studies that were pooled, or those of a set of effect sizes that can be; ``who`` asks."""
    if not isinstance(fit, (Pooled, EffectSizes)):
        raise InputError(
            f"{who} takes a result of balm.pool or effect sizes; got {type(fit).__name__}: make one with balm.pool(es)"
        )
    es = fit.effects if isinstance(fit, Pooled) else fit
    keep = es.estimable & ~es.double_zero & np.isfinite(es.effect) & (es.variance > 0.0)
    if not keep.any():
        raise InputError(f"{who} found no study with an effect and a variance above 0")
    return es if keep.all() else es[keep]


def check_enough(k: int, who: str, *, force: bool, cluster: Any = None) -> tuple[str, ...]:
    """Refuse what cannot be tested; between three and nine studies only ``force`` goes on, with advice."""
    if cluster is not None:
        raise InputError(CLUSTERS.format(who=who))
    if k < LEAST:
        raise InputError(f"{who} needs at least {LEAST} studies; there {'is' if k == 1 else 'are'} {k}")
    if k >= ENOUGH:
        return ()
    if not force:
        raise InputError(
            f"{who} needs at least {ENOUGH} studies and there are {k}: with fewer, the test has too little power to "
            "tell chance from real asymmetry (Cochrane Handbook, 13.3.5.3); force=True computes it all the same"
        )
    return (f"Only {k} studies: fewer than {ENOUGH} cannot tell chance from real asymmetry; do not rely on this test.",)


def check_varies(values: Floats, what: str, who: str) -> None:
    """Refuse a predictor that is the same in every study."""
    if float(np.ptp(values)) <= SAME * float(np.max(np.abs(values))):
        raise InputError(
            f"{who} cannot be computed: {what} is {float(values[0]):.6g} in every study, so small studies cannot be "
            "told from large ones"
        )


def on_a_line(rss: float, total: float) -> bool:
    """Whether weighted residuals are rounding alone; ``total`` is the weighted sum of squares of the effects."""
    return rss <= SAME**2 * max(total, 1e-300)


def raw_columns(es: EffectSizes, names: tuple[str, ...], who: str) -> list[Floats]:
    """The raw columns of the studies, or an error that says which are missing."""
    missing = [name for name in names if name not in es.raw]
    if missing:
        raise InputError(
            f"{who} needs the raw columns {', '.join(names)}; these effect sizes do not hold {', '.join(missing)}: "
            'make them from counts, for example balm.effect_sizes("OR", events_1=, n_1=, events_2=, n_2=)'
        )
    return [np.asarray(es.raw[name], dtype=np.float64) for name in names]


def p_in_words(p: float) -> str:
    """For sentences: three decimals, and the smallest as a bound.

    >>> p_in_words(0.1887), p_in_words(1e-9)
    ('p = 0.189', 'p < 0.001')
    """
    if math.isnan(p):
        return "p not estimable"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
