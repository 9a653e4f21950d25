"""The Copas selection model: how the mean would change if less precise studies had been published more rarely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.diagnostics.printed import text_table
from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.stats.selection.copas_likelihood import MOST_RHO, CopasLikelihood, Top
from balm.stats.selection.copas_path import Surface, surface
from balm.stats.small_study.studies import ENOUGH, LEAST, check_varies, p_in_words, studies_of
from balm.stats.small_study.weighted_line import multiplicative_line
from balm.stats.tails import OneTail, chi2_quantile, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level, check_option

SOURCE = "Copas JB, Shi JQ. Biostatistics 2000;1:247-62; Stat Methods Med Res 2001;10:251-65"
SIDES = ("left", "right")
#: A probit this high is a chance of selection of 1.
CERTAIN = 40.0
#: An end of an interval farther from the mean than this many of its errors is not looked for.
FARTHEST = 200.0


@dataclass(frozen=True, slots=True)
class CopasRow:
    """The model under one chance of selection.

    gamma0, gamma1 : the probit of the chance of a study with standard error s is ``gamma0 + gamma1 / s``; ``nan`` in
                     the first row, without selection.
    chance         : of selection of the least precise study (before its effect is known).
    estimate, se, interval : the mean before selection. ``se`` holds rho where it lies on its bound; the interval there
                     is by profile likelihood, and normal elsewhere.
    tau2, rho      : between-study variance, and correlation of selection with the effect.
    residual_p     : of the likelihood-ratio test (one degree of freedom) that no small-study effect is left.
    unpublished    : expected number of studies that were not selected.
    """

    gamma0: float
    gamma1: float
    chance: float
    estimate: float
    se: float
    interval: Interval
    tau2: float
    rho: float
    log_likelihood: float
    residual_p: float
    unpublished: float


@dataclass(frozen=True, eq=False, repr=False)
class Copas:
    """A Copas selection model read along a line of chances of selection, on the analysis scale.

    rows     : from no selection to much of it.
    adjusted : number of the first row whose residual selection is not significant, or ``None`` where none is.
    missing  : the side on which studies are thought to be missing, "left" or "right".
    surface  : the adjusted mean over (gamma0, gamma1), ``None`` where ``chances`` were given.
    """

    rows: tuple[CopasRow, ...]
    adjusted: int | None
    missing: str
    significance: float
    level: float
    surface: Surface | None
    effects: EffectSizes
    advice: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.effects)

    @property
    def original(self) -> CopasRow:
        """The row without selection: maximum likelihood, as usual."""
        return self.rows[0]

    @property
    def _row(self) -> CopasRow | None:
        return None if self.adjusted is None else self.rows[self.adjusted]

    @property
    def estimate(self) -> float:
        """The adjusted mean; ``nan`` where no row explains the small-study effect."""
        return math.nan if self._row is None else self._row.estimate

    @property
    def se(self) -> float:
        """Its standard error."""
        return math.nan if self._row is None else self._row.se

    @property
    def interval(self) -> Interval:
        """Its interval."""
        return Interval(math.nan, math.nan, self.level) if self._row is None else self._row.interval

    @property
    def p(self) -> float:
        """Its p value, by the normal distribution."""
        return OneTail.two_sided(self.estimate / self.se, math.inf)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        first, found = self.original, self._row
        before = f"{first.estimate:.3f} ({first.interval.low:.3f} to {first.interval.high:.3f})"
        if found is None:
            return (
                f"Copas selection model ({self.k} studies): no chance of selection on the line explains the "
                f"small-study effect (residual {p_in_words(max(row.residual_p for row in self.rows))} at most); there "
                f"is no adjusted mean, and without selection it is {before}."
            )
        if self.adjusted == 0:
            return (
                f"Copas selection model ({self.k} studies): there is no significant small-study effect to explain "
                f"({p_in_words(found.residual_p)}); the mean stays at {before}."
            )
        ends = found.interval
        return (
            f"Copas selection model ({self.k} studies): {found.estimate:.3f} ({100 * self.level:g}% CI "
            f"{ends.low:.3f} to {ends.high:.3f}) where {before} is estimated without selection, if about "
            f"{found.unpublished:.1f} studies with effects further {self.missing} were not published; residual "
            f"selection {p_in_words(found.residual_p)}."
        )

    def plot(self, path: Any = None, **options: Any) -> Any:
        """Funnel, contours of the mean, and mean and residual p along the chance of selection."""
        return presenter("copas")(self, path, **options)

    def _table(self) -> dict[str, Any]:
        return {
            "chance": [row.chance for row in self.rows],
            "estimate": [row.estimate for row in self.rows],
            "se": [row.se for row in self.rows],
            "low": [row.interval.low for row in self.rows],
            "high": [row.interval.high for row in self.rows],
            "tau2": [row.tau2 for row in self.rows],
            "rho": [row.rho for row in self.rows],
            "residual p": [row.residual_p for row in self.rows],
            "unpublished": [row.unpublished for row in self.rows],
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "k": self.k,
            "estimate": self.estimate,
            "se": self.se,
            "low": self.interval.low,
            "high": self.interval.high,
            "level": self.level,
            "p": self.p,
            "adjusted": self.adjusted,
            "missing": self.missing,
            "significance": self.significance,
            **{name.replace(" ", "_"): values for name, values in self._table().items()},
            "gamma0": [row.gamma0 for row in self.rows],
            "gamma1": [row.gamma1 for row in self.rows],
            "log_likelihood": [row.log_likelihood for row in self.rows],
            "source": SOURCE,
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row a chance of selection, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame(self._table())

    def __repr__(self) -> str:
        return text_table(self.summary, self._table(), [*(f"- {said}" for said in self.advice), SOURCE])


def copas(
    fit: Pooled | EffectSizes,
    *,
    missing: str | None = None,
    chances: Sequence[tuple[float, float]] | None = None,
    significance: float = 0.10,
    level: float | None = None,
) -> Copas:
    """Adjust a mean for studies that were less often published the less precise they were and the smaller their effect.

    fit          : a result of :func:`balm.pool`, or effect sizes. Tau² is estimated anew, by maximum likelihood.
    missing      : "left" or "right", where studies are thought to be missing; by default on the side that Egger's line
                   points away from.
    chances      : pairs (gamma0, gamma1) to read the model at. By default the line across the contours of the mean.
    significance : of the test of residual selection, by which the adjusted mean is chosen.
    level        : coverage of the intervals, by default that of ``fit`` (0.95).

    A study with standard error s is published where ``gamma0 + gamma1 / s + d > 0``; d is normal and correlates by rho
    with the study's error. Data do not say what gamma0 and gamma1 are: the model is fitted along a line of them, from
    no selection on, and the adjusted mean is that of the first point where a term for the standard error improves the
    fit no longer. It is a sensitivity analysis, not an estimate of how much is missing. Where rho reaches its bound of
    0.9999 the standard error holds it there and says too little; the interval is then by profile likelihood. The
    highest of several maxima is taken; where it jumps along the line, so does the mean.

    >>> es = EffectSizes(effect=[0.1, 0.12, 0.3, 0.55, 0.8, 0.9], variance=[0.01, 0.02, 0.03, 0.05, 0.08, 0.15])
    >>> found = copas(es, chances=[(0.5, 0.1), (-0.2, 0.08)])
    >>> [round(row.estimate, 3) for row in found.rows], round(found.rows[2].unpublished, 1)
    ([0.322, 0.219, 0.178], 4.2)
    """
    es = studies_of(fit, "copas")
    k = len(es)
    if k < LEAST:
        raise InputError(f"copas needs at least {LEAST} studies; there {'is' if k == 1 else 'are'} {k}")
    if missing is not None:
        check_option("missing", missing, SIDES)
    coverage = (fit.level if isinstance(fit, Pooled) else 0.95) if level is None else level
    check_level(coverage)
    if not 0.0 < significance < 1.0:
        raise InputError(f"significance must lie between 0 and 1; got {significance!r}")
    pairs = None if chances is None else _pairs(chances)
    check_varies(es.se, "the standard error", "copas")
    egger = multiplicative_line(es.effect, es.se, 1.0 / es.variance, coverage)
    side = missing or ("left" if egger.slope.estimate > 0.0 else "right")
    sign = 1.0 if side == "left" else -1.0
    y, s = sign * es.effect, es.se
    plane = surface(y, s) if pairs is None else None
    rows = [_row(y, s, None, sign, coverage)]
    for pair in (plane.path if plane is not None else pairs) or ():
        rows.append(_row(y, s, pair, sign, coverage))
    adjusted = next((i for i, row in enumerate(rows) if row.residual_p > significance), None)
    said = ["The data do not say how likely selection was: this is a sensitivity analysis."]
    if k < ENOUGH:
        said.append(f"Only {k} studies: what is selection and what is chance cannot be told apart.")
    if any(row.rho >= MOST_RHO for row in rows):
        said.append("rho lies on its bound in some rows: their intervals are by profile likelihood.")
    return Copas(tuple(rows), adjusted, side, significance, coverage, plane, es, tuple(said))


def _pairs(chances: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    try:
        found = [(float(a), float(b)) for a, b in chances]
    except (TypeError, ValueError):
        raise InputError(f"chances must be pairs (gamma0, gamma1); got {chances!r}") from None
    for a, b in found:
        if not (math.isfinite(a) and math.isfinite(b) and b >= 0.0):
            raise InputError(f"chances must be finite pairs with gamma1 of at least 0; got ({a:g}, {b:g})")
    if not found:
        raise InputError("chances holds no pair (gamma0, gamma1)")
    return found


def _row(y: Floats, s: Floats, pair: tuple[float, float] | None, sign: float, level: float) -> CopasRow:
    from scipy.special import ndtr

    gamma0, gamma1 = (math.nan, math.nan) if pair is None else pair
    u = np.full(len(y), CERTAIN) if pair is None else gamma0 + gamma1 / s
    likelihood = CopasLikelihood(y, s, u)
    top = likelihood.highest()
    more = CopasLikelihood(y, s, u, residual=True).highest()
    statistic = max(0.0, 2.0 * (more.log_likelihood - top.log_likelihood))
    chance = ndtr(u)
    low, high = _ends(likelihood, top, level)
    ends = Interval(low, high, level) if sign > 0.0 else Interval(-high, -low, level)
    return CopasRow(
        gamma0,
        gamma1,
        float(ndtr(float(u[int(np.argmax(s))]))),
        sign * float(top.beta[0]) + 0.0,
        top.se,
        ends,
        top.tau2,
        math.nan if pair is None else top.rho,
        top.log_likelihood,
        chi2_sf(statistic, 1),
        float(np.sum((1.0 - chance) / chance)),
    )


def _ends(likelihood: CopasLikelihood, top: Top, level: float) -> tuple[float, float]:
    """Of the interval of the mean, turned: normal, or by profile likelihood where rho is on its bound."""
    middle = float(top.beta[0])
    if top.rho < MOST_RHO:
        wide = t_critical(level, math.inf) * top.se
        return middle - wide, middle + wide
    from scipy.optimize import brentq

    fall = 0.5 * chi2_quantile(level, 1.0)
    unit = float(1.0 / np.sqrt(np.sum(1.0 / likelihood.s**2)))

    def above(theta: float) -> float:
        return likelihood.profile(theta) - top.log_likelihood + fall

    found = []
    for way in (-1.0, 1.0):
        near, far = 0.0, unit
        while above(middle + way * far) > 0.0:
            near, far = far, 1.6 * far
            if far > FARTHEST * unit:
                break
        if far > FARTHEST * unit:
            found.append(way * math.inf)
        else:
            found.append(brentq(above, middle + way * near, middle + way * far, xtol=1e-7 * unit))
    return found[0], found[1]
