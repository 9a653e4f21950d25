"""The result of pooling: what was estimated, how, and from what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from balm.stats.arrays import np
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import check_option
from balm.vocabulary.quick_dataclass import dataclass, field

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Displayed:
    """The pooled result on the scale people read: ratios, proportions, correlations."""

    estimate: float
    interval: Interval
    prediction_interval: Interval


@dataclass(frozen=True, slots=True)
class Beyond:
    """Probabilities that an effect lies beyond a threshold, from the intervals' own distributions.

    mean        : for the mean effect of studies like these.
    new_setting : for the effect in a new setting (the prediction distribution); ``nan`` where there is none.
    direction   : "above" or "below" the threshold.
    """

    threshold: float
    mean: float
    new_setting: float
    direction: str


@dataclass(frozen=True, slots=True)
class FitStatistics:
    """Log-likelihood and information criteria of one likelihood, constants included."""

    log_likelihood: float
    deviance: float
    aic: float
    aicc: float
    bic: float


@dataclass(frozen=True, eq=False)
class StudyEffects:
    """Best linear unbiased predictions of each study's own effect: (k,) each."""

    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    level: float


@dataclass(frozen=True, eq=False)
class Pooled:
    """A pooled estimate with its uncertainty, on the analysis scale; ``displayed`` is what a person reads.

    A quantity that cannot be estimated is ``nan`` (an interval with ``nan`` ends) and ``reasons`` says why.
    Shared by :func:`balm.pool`, :func:`balm.mantel_haenszel` and :func:`balm.peto`.
    """

    estimate: float
    se: float
    interval: Interval
    statistic: float
    df: float  # inf when the reference distribution is normal
    p: float
    tau2: float
    tau2_se: float
    i2: float  # per cent
    h2: float
    q: float
    q_df: int
    q_p: float
    k: int
    weights: Floats  # (k,) per cent, of the studies that were pooled
    prediction_interval: Interval
    effects: EffectSizes  # the studies that were pooled, in order
    excluded: tuple[tuple[str, str], ...]  # (study, why) of those that were not
    method: str  # "inverse-variance", "mantel-haenszel", "peto"
    conventions: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    reasons: Mapping[str, str] = field(default_factory=lambda: _NOTHING)  # field -> why it is nan
    advice: tuple[str, ...] = ()  # guards that acted, few studies, ... in words
    residual: float = 0.0  # of the estimating equation of tau2, relative
    log_likelihood: float = float("nan")  # restricted under REML
    tests: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)  # e.g. Cochran-Mantel-Haenszel
    prediction_df: float = float("nan")  # inf when the quantile is normal
    prediction_se: float = float("nan")  # SE of the mean that the prediction interval took
    own_weights: Floats | None = None  # (k,) the caller's weights
    given: EffectSizes | None = None  # all studies, where some were excluded: tables and plots show their counts

    @property
    def tau(self) -> float:
        """The between-study standard deviation."""
        return float(self.tau2**0.5)

    @property
    def measure(self) -> str:
        """The measure's code."""
        return self.effects.measure

    @property
    def level(self) -> float:
        """Coverage of the interval."""
        return self.interval.level

    @property
    def displayed(self) -> Displayed:
        """Estimate, interval and prediction interval, back-transformed (risk ratios for log risk ratios, and so on)."""
        transforms = import_module("balm.stats.transforms")
        typical = self._typical_sample_size()

        def back(value: float) -> float:
            return (
                math.nan if math.isnan(value) else float(transforms.displayed(value, self.measure, n_harmonic=typical))
            )

        def both(interval: Interval) -> Interval:
            ends = back(interval.low), back(interval.high)
            # A transformation that falls turns the ends round.
            low, high = (ends[1], ends[0]) if ends[0] > ends[1] else ends
            return Interval(low, high, interval.level)

        return Displayed(back(self.estimate), both(self.interval), both(self.prediction_interval))

    def _typical_sample_size(self) -> float | None:
        """The harmonic mean of the sample sizes, which the Freeman-Tukey back-transformations take (Miller 1978)."""
        for name in ("n", "time"):
            sizes = self.effects.raw.get(name)
            if sizes is not None:
                return float(len(sizes) / np.sum(1.0 / np.asarray(sizes, dtype=np.float64)))
        return None

    def heterogeneity_interval(self, method: str = "q-profile", level: float | None = None) -> Any:
        """Intervals of tau2, tau, I2 and H2: ``.tau2 .tau .i2 .h2``.

        method : "q-profile" (Viechtbauer 2007), "profile-likelihood" (of the ML or REML fit), "generalised-q"
                 (Jackson 2013), "biggerstaff-jackson" (2008), "test-based" (Higgins & Thompson 2002), "wald",
                 "wald-log", "wald-sqrt".
        level  : coverage; by default that of the fit.
        """
        from balm.stats.heterogeneity.intervals import heterogeneity_interval

        return heterogeneity_interval(self, method, self.level if level is None else level)

    def probability_beyond(self, threshold: float, *, direction: str | None = None, scale: str = "analysis") -> Beyond:
        """How likely the effect lies beyond ``threshold``, for the mean and for a new setting.

        These read the interval's distribution as a statement about the effect (a confidence distribution; with a flat
        prior, a posterior given tau2).

        direction : "above" or "below"; by default away from no effect (below for a threshold under it).
        scale     : "analysis" (log for ratios) or "displayed".
        """
        from balm.stats.tails import OneTail

        check_option("scale", scale, ("analysis", "displayed"))
        cut = float(threshold)
        if scale == "displayed":
            cut = float(import_module("balm.stats.transforms").analysed(threshold, self.measure))
        way = ("below" if cut < 0.0 else "above") if direction is None else direction
        check_option("direction", way, ("above", "below"))

        def upper(se: float, df: float) -> float:
            if math.isnan(se) or math.isnan(df):
                return math.nan
            distance = cut - self.estimate
            if se == 0.0:
                return 1.0 if distance < 0.0 else 0.5 if distance == 0.0 else 0.0
            if way == "below":
                distance = -distance
            half = 0.5 * OneTail.two_sided(distance / se, df)
            return half if distance > 0.0 else 1.0 - half

        total = math.sqrt(self.tau2 + self.prediction_se**2)
        return Beyond(float(threshold), upper(self.se, self.df), upper(total, self.prediction_df), way)

    def study_effects(self, level: float | None = None) -> StudyEffects:
        """Each study's own effect, shrunk to the mean: best linear unbiased prediction (Raudenbush & Bryk 1985)."""
        from balm.stats.tails import t_critical

        coverage = self.level if level is None else level
        y, v = self.effects.effect, self.effects.variance
        keep = self.tau2 / (self.tau2 + v)
        estimate = keep * y + (1.0 - keep) * self.estimate
        se = np.sqrt(keep * v + (1.0 - keep) ** 2 * self.se**2)
        half = t_critical(coverage, self.df) * se
        return StudyEffects(estimate, se, estimate - half, estimate + half, coverage)

    def fit_statistics(self) -> dict[str, FitStatistics]:
        """Log-likelihood, deviance, AIC, AICc and BIC of both likelihoods: ``{"ML": ..., "REML": ...}``."""
        from balm.stats.groups import OneGroup
        from balm.stats.heterogeneity.likelihood import log_likelihood

        found = {}
        y, v = self.effects.effect, self.effects.variance
        g = OneGroup(y, v)
        parameters = 2 if isinstance(self.conventions.get("tau2"), str) else 1
        saturated = -0.5 * float(np.sum(np.log(2.0 * math.pi * v)))
        for name, restricted in (("ML", False), ("REML", True)):
            if self.own_weights is not None or math.isnan(self.tau2):
                found[name] = FitStatistics(*(math.nan,) * 5)
                continue
            height = float(log_likelihood(g, self.tau2, restricted=restricted))
            n = self.k - 1 if restricted else self.k
            enough = max(n, parameters + 2)
            found[name] = FitStatistics(
                height,
                -2.0 * (height - (0.0 if restricted else saturated)),
                -2.0 * height + 2.0 * parameters,
                -2.0 * height + 2.0 * parameters * enough / (enough - parameters - 1),
                -2.0 * height + parameters * math.log(n) if n > 0 else math.nan,
            )
        return found

    @property
    def _statistics(self) -> FitStatistics:
        return self.fit_statistics()["REML" if self.conventions.get("tau2") == "REML" else "ML"]

    @property
    def aic(self) -> float:
        """Akaike's criterion, of the likelihood of the fit."""
        return self._statistics.aic

    @property
    def aicc(self) -> float:
        """Akaike's criterion corrected for few studies."""
        return self._statistics.aicc

    @property
    def bic(self) -> float:
        """The Bayesian criterion."""
        return self._statistics.bic

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision; ``None`` for what is not estimable, and for infinite df."""
        shown = self.displayed
        studies = zip(self.effects, self.weights.tolist(), strict=True)
        record: dict[str, Any] = {
            "measure": self.measure,
            "method": self.method,
            "model": self.conventions.get("model"),
            "tau2_estimator": self.conventions.get("tau2"),
            "inference": self.conventions.get("inference"),
            "level": self.level,
            "k": self.k,
            "estimate": self.estimate,
            "se": self.se,
            "ci_low": self.interval.low,
            "ci_high": self.interval.high,
            "statistic": self.statistic,
            "df": self.df,
            "p": self.p,
            "tau2": self.tau2,
            "tau2_se": self.tau2_se,
            "i2": self.i2,
            "h2": self.h2,
            "q": self.q,
            "q_df": self.q_df,
            "q_p": self.q_p,
            "pi_low": self.prediction_interval.low,
            "pi_high": self.prediction_interval.high,
            "displayed": {
                "estimate": shown.estimate,
                "ci_low": shown.interval.low,
                "ci_high": shown.interval.high,
                "pi_low": shown.prediction_interval.low,
                "pi_high": shown.prediction_interval.high,
            },
            "residual": self.residual,
            "log_likelihood": self.log_likelihood,
            "conventions": dict(self.conventions),
            "studies": [
                {"study": study, "effect": effect, "variance": variance, "weight": weight}
                for (study, effect, variance), weight in studies
            ],
            "excluded": [{"study": study, "why": why} for study, why in self.excluded],
            "reasons": dict(self.reasons),
            "advice": list(self.advice),
        }
        plain: dict[str, Any] = _plain(record)
        return plain

    def to_frame(self) -> Any:
        """One row of the pooled numbers, as a pandas DataFrame (a dict of columns without pandas)."""
        row = {name: [value] for name, value in self.to_dict().items() if not isinstance(value, (dict, list))}
        try:
            return import_module("pandas").DataFrame(row)
        except ImportError:
            return row

    def sentence(self) -> str:
        """The result in words."""
        return str(presenter("sentence")(self))

    def methods(self) -> str:
        """A methods paragraph that names every choice."""
        return str(presenter("methods")(self))

    def forest(self, path: Any = None, **options: Any) -> Any:
        """The forest plot; written to ``path`` (.svg, .png, .pdf) when one is given."""
        return presenter("forest")(self, path, **options)

    def funnel(self, path: Any = None, **options: Any) -> Any:
        """The funnel plot."""
        return presenter("funnel")(self, path, **options)

    def radial(self, path: Any = None, **options: Any) -> Any:
        """The radial (Galbraith) plot."""
        return presenter("radial")(self, path, **options)

    def labbe(self, path: Any = None, **options: Any) -> Any:
        """The L'Abbé plot, for two groups' counts."""
        return presenter("labbe")(self, path, **options)

    def baujat(self, path: Any = None, **options: Any) -> Any:
        """The Baujat plot; its values are those of :func:`balm.baujat`."""
        return presenter("baujat")(self, path, **options)

    def drapery(self, path: Any = None, **options: Any) -> Any:
        """The drapery plot: p-value functions of the studies and the pooled result."""
        return presenter("drapery")(self, path, **options)

    def __repr__(self) -> str:
        return str(presenter("text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("html")(self))


def _plain(value: Any) -> Any:
    """JSON's own types; what is not a finite number is ``None``."""
    if isinstance(value, Mapping):
        return {str(name): _plain(v) for name, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
