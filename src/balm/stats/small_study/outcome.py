"""What a test for small-study effects found, with everything it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from balm.stats.frame import frame
from balm.stats.small_study.kendall import Kendall
from balm.stats.small_study.studies import p_in_words
from balm.stats.small_study.weighted_line import Line
from balm.vocabulary.interval import Interval

#: Conventional for these tests, which have little power (Egger et al. 1997; Cochrane Handbook, 13.3.5.3).
ASYMMETRY_P = 0.10


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class SmallStudyTest:
    """A test for funnel asymmetry.

    method         : the option; ``name`` is the test's name in words, ``source`` where it is described.
    statistic, df  : t with ``df``, or z with ``df = inf``; ``p`` is two-sided. ``nan`` with the reason in ``advice``.
    predictor      : what the line runs along, in words; "" for rank tests.
    model          : "multiplicative", "random", "common" or "multilevel" error of the line; "rank" for rank tests.
    line           : intercept and slope with errors and intervals, ``None`` for rank tests.
    limit          : the effect expected in an infinitely large study (``nan`` where the line has none), with interval.
    kendall        : score, its error and Kendall's tau, ``None`` for regression tests.
    k, level       : studies (effects, where ``clusters`` counts the studies) in the test; coverage of the intervals.
    robust         : the :class:`~balm.stats.multilevel.cluster_robust.Robust` fit behind a test with clusters.
    advice         : what a reader should know first.
    """

    method: str
    name: str
    source: str
    statistic: float
    df: float
    p: float
    predictor: str
    model: str
    tau2: float
    line: Line | None
    limit: float
    limit_interval: Interval
    kendall: Kendall | None
    k: int
    level: float
    advice: tuple[str, ...]
    clusters: int | None = None
    robust: Any = None

    @property
    def slope(self) -> float:
        """Slope of the line, ``nan`` for rank tests."""
        return math.nan if self.line is None else self.line.slope.estimate

    @property
    def slope_se(self) -> float:
        """Standard error of the slope."""
        return math.nan if self.line is None else self.line.slope.se

    @property
    def intercept(self) -> float:
        """Intercept of the line, ``nan`` for rank tests."""
        return math.nan if self.line is None else self.line.intercept.estimate

    @property
    def intercept_se(self) -> float:
        """Standard error of the intercept."""
        return math.nan if self.line is None else self.line.intercept.se

    @property
    def tau(self) -> float:
        """Kendall's tau, ``nan`` for regression tests."""
        return math.nan if self.kendall is None else self.kendall.tau

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        if math.isnan(self.p):
            return f"{self.name}, {self.k} studies: not estimable. {self.advice[0]}"
        if self.kendall is not None:
            how = ", exact" if self.kendall.exact else f", z = {self.statistic:.2f}"
            found = f"Kendall's tau = {self.tau:.3f}{how}"
        elif math.isinf(self.df):
            found = f"z = {self.statistic:.2f}"
        else:
            found = f"t = {self.statistic:.2f} with {self.df:.4g} degrees of freedom"
        verdict = "suggests" if self.p < ASYMMETRY_P else "does not show"
        count = f"{self.k} studies" if self.clusters is None else f"{self.k} effects in {self.clusters} clusters"
        text = f"{self.name} ({count}; {found}; {p_in_words(self.p)}) {verdict} small-study effects"
        if not math.isnan(self.limit):
            ends = self.limit_interval
            text += (
                f"; the effect expected in an infinitely large study is {self.limit:.3f} "
                f"({100 * self.level:g}% CI {ends.low:.3f} to {ends.high:.3f})"
            )
        return text + "."

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "method": self.method,
            "name": self.name,
            "k": self.k,
            "clusters": self.clusters,
            "predictor": self.predictor,
            "model": self.model,
            "statistic": self.statistic,
            "df": self.df,
            "p": self.p,
            "intercept": self.intercept,
            "intercept_se": self.intercept_se,
            "slope": self.slope,
            "slope_se": self.slope_se,
            "tau2": self.tau2,
            "kendall_tau": self.tau,
            "limit": self.limit,
            "limit_low": self.limit_interval.low,
            "limit_high": self.limit_interval.high,
            "level": self.level,
            "source": self.source,
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame({name: [value] for name, value in self.to_dict().items() if not isinstance(value, list)})

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice), self.source])
