"""Effects that come with their own uncertainty: generic inverse variance, and the log-rank statistic."""

from __future__ import annotations

from balm.stats.arrays import np
from balm.stats.distributions import norm_ppf
from balm.stats.measures.measure import Floats, Measure
from balm.vocabulary.scale import IDENTITY, LOG


def generic(
    *,
    effect: Floats,
    se: Floats | None = None,
    variance: Floats | None = None,
    ci_low: Floats | None = None,
    ci_high: Floats | None = None,
    p: Floats | None = None,
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """An effect as reported, with the variance behind its standard error, interval or p-value.

    The interval is taken as symmetric (normal) at ``level``: ``se = (high - low)/(2 z)``.  A p-value is taken as a
    two-sided Wald test: ``se = |effect|/z``, not estimable at ``p = 1``.  Cochrane Handbook, sections 6.3.1, 6.3.2.
    """
    if variance is not None:
        return effect, variance.copy()
    if se is not None:
        return effect, se**2
    if ci_low is not None and ci_high is not None:
        return effect, ((ci_high - ci_low) / (-2.0 * norm_ppf((1.0 - level) / 2.0))) ** 2
    z = np.array([norm_ppf(0.5 * value) for value in np.asarray(p).tolist()])
    return effect, (effect / z) ** 2


def hazard_ratio(*, o_minus_e: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Log hazard ratio ``(O - E)/V`` with variance ``1/V``, from log-rank statistics.

    Cochrane Handbook, section 6.8.2; Tierney et al. (2007) Trials 8:16.
    """
    return o_minus_e / v, 1.0 / v


MEASURES = (
    Measure(
        "GEN",
        "Generic effect",
        "generic",
        generic,
        IDENTITY,
        ("effect",),
        "Cochrane Handbook, section 10.3",
        one_of=(("se",), ("variance",), ("ci_low", "ci_high"), ("p",)),
    ),
    Measure(
        "HR",
        "Hazard ratio",
        "time to event",
        hazard_ratio,
        LOG,
        ("o_minus_e", "v"),
        "Cochrane Handbook, section 6.8.2; Tierney et al. 2007",
    ),
)
