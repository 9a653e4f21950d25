"""How much of the outcome's variance a regression model explains: R squared, with predictors drawn or set.

``m`` predictors.  Where they were sampled with the outcome (survey data) R squared varies more than where they were
set by the design (doses, arms), so there are two variances.
"""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.two_group_means import weighted_mean
from balm.vocabulary.scale import FISHER_Z_ROOT, PROPORTION

#: Poisson terms further than this many standard deviations from the mean are below 1e-16 of the whole.
_REACH = 13.0

#: From this Poisson mean on, every s-th term stands for s of them, with s a tenth of the standard deviation: the sum
#: of a bell so smooth loses nothing by it, and the number of terms does not grow with the sample.
_SMOOTH = 400.0


def r_squared(*, r2: Floats, n: Floats, predictors: Floats, variance_type: str = "LS") -> tuple[Floats, Floats]:
    """R2 of a regression model whose predictors were sampled with the outcome.

    variance_type : "LS" ``4 R2 (1 - R2)^2/n``; "LS2" ``4 R2 (1 - R2)^2 (n - m - 1)^2/((n^2 - 1)(n + 3))``; "AV" and
    "AV2" the same at the mean R2 of all studies.
    Kendall & Stuart (1979) The Advanced Theory of Statistics, vol. 2, equations 27.88 and 27.87; Olkin & Finn (1995).
    """
    at = r2
    if variance_type in ("AV", "AV2"):
        at = np.where(np.isnan(r2), np.nan, weighted_mean(r2, n))
    share = 1.0 / n
    if variance_type in ("LS2", "AV2"):
        rest = np.where(n > predictors + 1.0, n - predictors - 1.0, np.nan)
        share = rest**2 / ((n**2 - 1.0) * (n + 3.0))
    return r2, 4.0 * at * (1.0 - at) ** 2 * share


def fisher_z_of_r(*, r2: Floats, n: Floats, predictors: Floats) -> tuple[Floats, Floats]:
    """Fisher's z of the multiple correlation R, variance ``1/n``.  Olkin & Finn (1995) Psychol Bull 118:155."""
    return np.arctanh(np.sqrt(r2)), 1.0 / n


def r_squared_at_set_predictors(*, r2: Floats, n: Floats, predictors: Floats) -> tuple[Floats, Floats]:
    """R2 of a regression model whose predictors were set, with its exact variance were the true R2 that observed.

    R2 is then a non-central beta: F of the model is non-central F with noncentrality ``n R2/(1 - R2)``, and R2 =
    ``m F/(m F + n - m - 1)``.  In large samples the variance is ``2 R2 (1 - R2)^2 (2 - R2)/n``.  "Not estimable" (nan)
    without degrees of freedom (``n <= m + 1``) and where R2 is 1.
    Johnson, Kotz & Balakrishnan (1995) Continuous Univariate Distributions, vol. 2, chapter 30.
    """
    return r2, np.array([_variance(*study) for study in zip(r2, n, predictors, strict=True)], dtype=np.float64)


def fisher_z_of_r_at_set_predictors(*, r2: Floats, n: Floats, predictors: Floats) -> tuple[Floats, Floats]:
    """Fisher's z of the multiple correlation R with predictors that were set, variance by the delta method.

    The transformation does not steady the variance here as it does where predictors were sampled.
    """
    _, variance = r_squared_at_set_predictors(r2=r2, n=n, predictors=predictors)
    return np.arctanh(np.sqrt(r2)), np.where(
        r2 > 0.0, variance / (4.0 * np.where(r2 > 0, r2, 1) * (1 - r2) ** 2), np.nan
    )


def _variance(r2: float, n: float, predictors: float) -> float:
    """Variance of the non-central beta: betas with Poisson-many more halves, within each and between their means."""
    rest = (n - predictors - 1.0) / 2.0
    if not (rest > 0.0 and predictors > 0.0 and 0.0 <= r2 < 1.0):
        return math.nan
    drawn, weight = _poisson(n * r2 / (1.0 - r2) / 2.0)
    first = predictors / 2.0 + drawn
    total = first + rest
    within = first * rest / (total**2 * (total + 1.0))
    # 1 - mean has no digits to lose where R2 is near 1
    unexplained = rest / total
    between = (unexplained - weight @ unexplained) ** 2
    return float(weight @ (within + between))


def _poisson(mean: float) -> tuple[Floats, Floats]:
    """Values of a Poisson variable and their probabilities, as many as it takes."""
    sd = math.sqrt(mean)
    if mean < _SMOOTH:
        drawn = np.arange(1.0, math.ceil(mean + _REACH * sd) + 40.0)
        weight = np.concatenate([[1.0], np.cumprod(mean / drawn)])
        drawn = np.concatenate([[0.0], drawn])
    else:
        drawn = np.arange(math.floor(mean - _REACH * sd), mean + _REACH * sd, math.floor(sd / 10.0))
        off = (drawn - mean) / mean
        # Stirling's series; both terms are of order 1 where the probability is not negligible
        weight = np.exp(-mean * ((1.0 + off) * np.log1p(off) - off) - (1.0 - 1.0 / (30.0 * drawn**2)) / (12.0 * drawn))
        weight /= np.sqrt(drawn)
    return drawn, weight / weight.sum()


_TAKES = ("r2", "n", "predictors")
_FAMILY = "model fit"
_SOURCE = "Olkin & Finn 1995"
_SET = "Johnson, Kotz & Balakrishnan 1995"
MEASURES = (
    Measure(
        "R2",
        "R squared",
        _FAMILY,
        r_squared,
        PROPORTION,
        _TAKES,
        f"Kendall & Stuart 1979; {_SOURCE}",
        variance_types=("LS", "LS2", "AV", "AV2"),
    ),
    Measure("ZR2", "Fisher's z of a multiple correlation", _FAMILY, fisher_z_of_r, FISHER_Z_ROOT, _TAKES, _SOURCE),
    Measure("R2F", "R squared, predictors set", _FAMILY, r_squared_at_set_predictors, PROPORTION, _TAKES, _SET),
    Measure(
        "ZR2F",
        "Fisher's z of a multiple correlation, predictors set",
        _FAMILY,
        fisher_z_of_r_at_set_predictors,
        FISHER_Z_ROOT,
        _TAKES,
        _SET,
    ),
)
