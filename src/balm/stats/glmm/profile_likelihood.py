"""Profile-likelihood intervals: the values of one parameter that the likelihood-ratio test does not refuse.

Sources: Hardy & Thompson 1996 (Stat Med 15:619); Cox & Hinkley 1974, section 9.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from balm.stats.glmm.fitting import MixedFit
from balm.stats.glmm.optimum import climb
from balm.stats.tails import chi2_quantile

#: How far out, in units of the first step, an end is looked for before it is said to be infinite.
FURTHEST = 12


def drop(fit: MixedFit, position: int) -> Callable[[float], float]:
    """Twice the fall of the log-likelihood where the common parameter at ``position`` is held at a value."""
    top, exact = fit.optimum, math.isfinite(fit.integration_error)
    memory = {"common": top.common, "local": top.local, "modes": top.modes}

    def at(value: float) -> float:
        common = np.array(memory["common"], dtype=np.float64)
        common[position] = value
        found = climb(
            fit.structure,
            common,
            memory["local"],
            fit.points,
            modes=memory["modes"],
            exact=exact,
            held=position,
            short=1e-6,
            most=25,
        )
        memory.update(common=found.common, local=found.local, modes=found.modes)
        return 2.0 * (top.height - found.height)

    return at


def ends(fit: MixedFit, position: int, step: float, level: float) -> tuple[float, float]:
    """Both ends of the interval; infinite where nothing refuses a value."""
    limit = chi2_quantile(level, 1.0)
    centre = float(fit.optimum.common[position])
    return _end(fit, position, centre, -step, limit), _end(fit, position, centre, step, limit)


def _end(fit: MixedFit, position: int, centre: float, step: float, limit: float) -> float:
    from scipy.optimize import brentq

    fall = drop(fit, position)
    inside, outside = centre, centre + step
    for _ in range(FURTHEST):
        if fall(outside) > limit:
            break
        inside, outside, step = outside, outside + 1.5 * step, 1.5 * step
    else:
        return math.copysign(math.inf, step)
    return float(brentq(lambda x: fall(x) - limit, inside, outside, xtol=1e-8, rtol=1e-10))
