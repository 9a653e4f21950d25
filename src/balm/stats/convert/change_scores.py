"""Change from baseline: its standard deviation from those of baseline and final, and the correlation between them."""

from __future__ import annotations

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.paired import CORRELATIONS, R_ASSUMED, sd_of_difference
from balm.stats.convert.sources import handbook

TOPIC = "Change from baseline"
FORMULA = "SD_change = √(SD_baseline² + SD_final² − 2r·SD_baseline·SD_final)"


@conversion(topic=TOPIC, formula=FORMULA, source=handbook("6.5.2.8"))
def change_sd(*, sd_baseline: Number, sd_final: Number, r: Number) -> Found:
    """Standard deviation of the change from baseline, with a correlation taken from another group or trial.

    ``r``: see :func:`correlation_from_sds` to recover it from a group that reports all three SDs; an array makes a
    sensitivity analysis.

    >>> round(float(change_sd(sd_baseline=6.4, sd_final=7.1, r=0.80)), 2)
    4.32
    """
    a, b = checks.standard_deviation("sd_baseline", sd_baseline), checks.standard_deviation("sd_final", sd_final)
    return found(sd=sd_of_difference(a, b, checks.correlation("r", r)), assumes=[R_ASSUMED])


@conversion(topic=TOPIC, formula=FORMULA + " for each r", source=handbook("6.5.2.8"), sequences=("r",), arrays=False)
def change_sd_over_correlations(*, sd_baseline: Number, sd_final: Number, r: Number = CORRELATIONS) -> Found:
    """The SD of the change over a range of correlations, as arrays ``r`` and ``sd``.

    >>> found = change_sd_over_correlations(sd_baseline=6.4, sd_final=7.1, r=[0.5, 0.8])
    >>> [round(float(sd), 2) for sd in found.sd]
    [6.78, 4.32]
    """
    import numpy as np

    a, b = checks.standard_deviation("sd_baseline", sd_baseline), checks.standard_deviation("sd_final", sd_final)
    rs = [checks.correlation(f"r[{i}]", v) for i, v in enumerate(r if isinstance(r, list) else [r])]
    return found(r=np.array(rs), sd=np.array([sd_of_difference(a, b, v) for v in rs]))
