"""The covariance of log ratios that share a reference dose, which papers leave out.

Every dose of a study is compared with the same people, so its log ratios are correlated. Two ways rebuild the
correlation from the reported log ratios L, their standard errors and the counts:

Greenland & Longnecker (1992), Am J Epidemiol 135:1301: find counts of cases that keep their total and the numbers of
people (or person-time) of each dose, and whose crude log ratios are L; take the correlation of those counts.

Hamling et al. (2008), Stat Med 27:954: find effective counts whose crude log ratios are L *and* whose variances are the
reported ones, keeping the share of the reference among non-cases and the ratio of non-cases to cases.

Both come down to equations that rise or fall in one unknown, so there is one solution and it is found to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.problems import InputError

DESIGNS = ("case-control", "incidence-rate", "cumulative-incidence")

COVARIANCES = {
    "greenland-longnecker": "Greenland and Longnecker (1992)",
    "hamling": "Hamling et al. (2008)",
    "hamling-dosresmeta": "Hamling et al. (2008) as dosresmeta 2.2.0 computes it",
    "independent": "none: log ratios of a study taken as independent",
}

#: The second term of the variance of a log ratio, ``1/a + sign/b``: non-cases add, people at risk take off.
SIGN = {"case-control": 1.0, "incidence-rate": 0.0, "cumulative-incidence": -1.0}

#: Halvings and steps of one root; Newton needs about six.
MOST_STEPS = 200


def covariance(kind: str, *, design: str, log_ratio: Floats, se: Floats, cases: Floats, n: Floats) -> Floats:
    """The covariance of the log ratios of one study, (m - 1, m - 1).

    log_ratio, se : (m - 1,) of the doses other than the reference.
    cases, n      : (m,) counts, the reference first; ``n`` people (cases included), or person-time for rates.

    >>> import numpy as np
    >>> v = covariance("greenland-longnecker", design="case-control", log_ratio=np.array([-0.2231, 0.1484, 0.4511]),
    ...                se=np.array([0.2327, 0.2372, 0.2373]), cases=np.array([165.0, 74, 90, 122]),
    ...                n=np.array([337.0, 167, 186, 212]))
    >>> round(float(v[0, 1]), 4)
    0.0188
    """
    if kind == "independent":
        return np.diag(se**2)
    if kind == "hamling":
        found = np.full((len(se), len(se)), hamling(design, log_ratio, se, cases, n)[0])
    elif kind == "hamling-dosresmeta":
        found = _as_dosresmeta(design, log_ratio, se, cases, n)
    else:
        base, own = greenland_longnecker(design, log_ratio, cases, n)
        share = np.sqrt(base / (base + own))
        # corr = base / sqrt((base + own_x)(base + own_z)): the share of the variance that the reference brings
        found = np.outer(share * se, share * se)
    np.fill_diagonal(found, se**2)
    return found


def greenland_longnecker(design: str, log_ratio: Floats, cases: Floats, n: Floats) -> tuple[float, Floats]:
    """The variance terms of the adjusted counts: of the reference, and (m - 1,) of the other doses.

    Rates and risks: ``A = c R N`` with the total of cases, variance ``1/A`` (cases as Poisson counts given those at
    risk). Odds: ``A/(N - A) = c R``, variance ``1/A + 1/(N - A)``.
    """
    ratio = np.concatenate(([1.0], np.exp(log_ratio)))
    total = float(cases.sum())
    if design != "case-control":
        term = float((ratio * n).sum()) / (total * ratio * n)
        return float(term[0]), term[1:]
    weight = np.log(ratio)

    def excess(x: float) -> tuple[float, float]:
        odds = np.exp(weight + x)
        share = odds / (1.0 + odds)
        return float(n @ share) - total, float(n @ (share * (1.0 - share)))

    reach = 40.0 + float(np.abs(weight).max())
    level = rising_root(excess, -reach, reach, math.log(total / max(float(n.sum()) - total, 0.5)))
    share = np.exp(weight + level) / (1.0 + np.exp(weight + level))
    term = 1.0 / (n * share * (1.0 - share))
    return float(term[0]), term[1:]


def hamling(
    design: str, log_ratio: Floats, se: Floats, cases: Floats, n: Floats, *, sign: float | None = None
) -> tuple[float, float]:
    """The variance that the reference brings to every log ratio, which is their covariance, and its odds ``a/b``.

    With effective counts a, b of the reference and risk (odds) ``r = a/b``, ``s = 1/a + sign/b`` is what it brings to
    each variance v, and the other counts follow: ``a_x = (1 + sign R r) / (v - s)``, ``b_x = a_x / (R r)``. For every r
    one s keeps the share of the reference in b; r then keeps the ratio of the totals of b and a.
    """
    sign = SIGN[design] if sign is None else sign
    other = n - cases if design == "case-control" else n
    share, per_case = float(other[0] / other.sum()), float(other.sum() / cases.sum())
    ratio, v = np.exp(log_ratio).tolist(), (se**2).tolist()
    least, odds = min(v), 1.0 / share - 1.0

    def brought(r: float) -> float:
        """s for a given r: ``sum (sign + 1/(R r)) s/(v - s) = (sign + 1/r)(1/share - 1)`` rises in s."""
        weights = [(sign * r + 1.0 / x) / (sign * r + 1.0) for x in ratio]

        def excess(u: float) -> tuple[float, float]:
            s = least / (1.0 + math.exp(-u))
            value: float = sum(w * s / (x - s) for w, x in zip(weights, v, strict=True))
            slope: float = sum(w * x / (x - s) ** 2 for w, x in zip(weights, v, strict=True)) * s * (1.0 - s / least)
            return math.log(value) - math.log(odds), slope / value

        logit = rising_root(excess, -36.0, 33.0, 0.0)
        found: float = least / (1.0 + math.exp(-logit))
        return found

    if sign == 0.0:
        s = brought(1.0)
        a = 1.0 / s + sum(1.0 / (y - s) for y in v)
        return s, 1.0 / (share * per_case * a * s)

    def excess(log_r: float) -> tuple[float, float]:
        r = math.exp(log_r)
        s = brought(r)
        a = (1.0 + sign * r) / s + sum((1.0 + sign * x * r) / (y - s) for x, y in zip(ratio, v, strict=True))
        b = (sign + 1.0 / r) / (s * share)
        return math.log(per_case) - math.log(b / a), math.nan

    top = 30.0 if sign > 0.0 else -math.log(max(1.0, *ratio)) - 1e-12
    r = math.exp(rising_root(excess, -30.0, top, math.log(float(cases[0] / other[0]))))
    return brought(r), r


def _as_dosresmeta(design: str, log_ratio: Floats, se: Floats, cases: Floats, n: Floats) -> Floats:
    """dosresmeta takes the effective counts of rates from the formula of risks and the other way round, then scales.

    The counts so found have not quite the reported variances; the covariance is the crude correlation of these counts
    times the reported standard errors. For case-control data this is Hamling's. Kept to repeat published analyses.
    """
    turned = {"incidence-rate": -1.0, "cumulative-incidence": 0.0}.get(design, 1.0)
    s, r = hamling(design, log_ratio, se, cases, n, sign=turned)
    ratio = np.exp(log_ratio)
    a = np.concatenate(([(1.0 + turned * r) / s], (1.0 + turned * ratio * r) / (se**2 - s)))
    b = a / (r * np.concatenate(([1.0], ratio)))
    term = 1.0 / a + SIGN[design] / b
    share = np.sqrt(term[0] / (term[0] + term[1:]))
    found: Floats = np.outer(share * se, share * se)
    return found


def rising_root(f: Callable[[float], tuple[float, float]], low: float, high: float, start: float) -> float:
    """Where a rising function is 0: Newton (secant where the slope is nan), halving where a step leaves the bracket."""
    if f(low)[0] > 0.0 or f(high)[0] < 0.0:
        raise InputError(
            "no counts agree with these log ratios, standard errors and totals; check them, or use another covariance"
        )
    x = min(max(start, low), high)
    before: tuple[float, float] | None = None
    for _ in range(MOST_STEPS):
        value, slope = f(x)
        if value == 0.0:
            return x
        low, high = (x, high) if value < 0.0 else (low, x)
        if math.isnan(slope) and before is not None and before[1] != value:
            slope = (before[1] - value) / (before[0] - x)
        before = (x, value)
        following = x - value / slope if slope > 0.0 else math.nan
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - x) <= 1e-14 * max(1.0, abs(x)):
            return following
        x = following
    return x
