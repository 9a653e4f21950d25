"""What a selection model found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.multilevel.grouping import Grouping
from balm.stats.multilevel.newton import Minimum
from balm.stats.regression.meta_regression import Coefficient
from balm.stats.selection.likelihood import SETTLED, Likelihood
from balm.stats.selection.weight_functions import WEIGHT_FUNCTIONS
from balm.stats.small_study.studies import p_in_words
from balm.stats.tails import OneTail, t_critical
from balm.stats.transforms import displayed
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import fixed as decimals
from balm.vocabulary.numbers import short
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError

STEP_SOURCE = "Hedges LV. Stat Sci 1992;7:246-55; Vevea JL, Hedges LV. Psychometrika 1995;60:419-35"
TRUNCATED_SOURCE = "Rust RT, Lehmann DR, Farley JU. J Mark Res 1990;27:220-6"


@dataclass(frozen=True, eq=False)
class Choices:
    """How the model was asked for. ``sign`` is -1 where small effects were sought and the data were turned."""

    kind: str
    alternative: str
    level: float
    names: tuple[str, ...]
    effects: EffectSizes
    cluster: Grouping | None
    steps: tuple[float, ...]
    truncation: float
    threshold: float | None
    imprecision: str | None
    sign: float

    def with_(self, **changes: Any) -> Choices:
        """The same with some changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight of a step function or parameter of a smooth one.

    se, interval : normal, cut off at 0; ``nan`` where the value is given or lies on its bound. See
                   :meth:`SelectionModel.profile_interval` for one by likelihood.
    studies      : whose p value lies in the interval; ``None`` for parameters.  given : not estimated.
    """

    name: str
    estimate: float
    se: float
    interval: Interval
    studies: int | None
    given: bool


@dataclass(frozen=True, slots=True)
class Maximum:
    """One maximum of the likelihood, on the scale of the effects."""

    log_likelihood: float
    beta: tuple[float, ...]
    tau2: float
    delta: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SelectionTest:
    """A likelihood-ratio test; ``p`` is ``nan`` with ``df`` 0 (nothing was estimated) and with clusters."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True, eq=False)
class SelectionModel:
    """A fitted selection model, on the analysis scale of the effects.

    beta, se        : (p,) coefficients in the order of ``names``, with normal standard errors; ``covariance`` (p, p).
    tau2, tau2_se   : of the effects before selection; the error is ``nan`` where tau2 is 0.
    delta, delta_se : weights of the steps, or parameters of the weight function; ``weights`` has them with names.
    log_likelihood  : at the maximum; ``unselected`` is the maximum without selection, ``test`` compares the two.
    maxima          : every maximum that was found, the highest (the fit) first.
    residual        : what is left of a Newton step, in standard errors; ``quadrature_error`` of the log-likelihood.
    clusters        : number of clusters behind robust standard errors, or ``None``.
    reason          : why nothing could be estimated, "" otherwise; then numbers are ``nan``.
    """

    choices: Choices
    model: str
    beta: Floats
    covariance: Floats
    tau2: float
    tau2_se: float
    delta: Floats
    delta_se: Floats
    labels: tuple[str, ...]
    given: tuple[bool, ...]
    counts: tuple[int | None, ...]
    log_likelihood: float
    unselected: Maximum
    test: SelectionTest
    maxima: tuple[Maximum, ...]
    residual: float
    quadrature_error: float
    clusters: int | None
    advice: tuple[str, ...]
    reason: str
    _likelihood: Likelihood = field(repr=False)
    _best: Minimum | None = field(repr=False)
    _unit: float = field(repr=False)

    @property
    def effects(self) -> EffectSizes:
        """The studies in the model."""
        return self.choices.effects

    @property
    def k(self) -> int:
        """Studies (effects, where there are clusters) in the model."""
        return len(self.choices.effects)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return self.choices.names

    @property
    def level(self) -> float:
        """Coverage of the intervals."""
        return self.choices.level

    @property
    def name(self) -> str:
        """The weight function in words."""
        kind = self.choices.kind
        if kind == "step":
            return "step function"
        return "truncation" if kind == "truncated" else WEIGHT_FUNCTIONS[kind].name

    @property
    def source(self) -> str:
        """Where the model is described."""
        kind = self.choices.kind
        if kind == "step":
            return STEP_SOURCE
        return TRUNCATED_SOURCE if kind == "truncated" else WEIGHT_FUNCTIONS[kind].source

    @property
    def se(self) -> Floats:
        """(p,) standard errors of the coefficients."""
        found: Floats = np.sqrt(np.diag(self.covariance))
        return found

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """One row a coefficient."""
        c = t_critical(self.level, math.inf)
        return tuple(
            Coefficient(
                name,
                b,
                s,
                b / s,
                math.inf,
                OneTail.two_sided(b / s, math.inf),
                Interval(b - c * s, b + c * s, self.level),
            )
            for name, b, s in zip(self.names, self.beta.tolist(), self.se.tolist(), strict=True)
        )

    def __getitem__(self, name: str) -> Coefficient:
        for row in self.coefficients:
            if row.name == name:
                return row
        raise InputError(f"no coefficient {name!r}; the model has {list(self.names)}")

    def _mean(self) -> Coefficient:
        if len(self.names) > 1:
            raise InputError(f"the model has the coefficients {list(self.names)}, not one mean: see .coefficients")
        return self.coefficients[0]

    @property
    def estimate(self) -> float:
        """The mean effect before selection (models without moderators)."""
        return self._mean().estimate

    @property
    def interval(self) -> Interval:
        """Normal interval of the mean effect."""
        return self._mean().interval

    @property
    def p(self) -> float:
        """p value of the mean effect."""
        return self._mean().p

    @property
    def prediction_interval(self) -> Interval:
        """Where the true effect of a new study, selected or not, would lie."""
        mean = self._mean()
        wide = t_critical(self.level, math.inf) * math.sqrt(mean.se**2 + self.tau2)
        return Interval(mean.estimate - wide, mean.estimate + wide, self.level)

    @property
    def weights(self) -> tuple[Weight, ...]:
        """One row a weight or parameter."""
        c = t_critical(self.level, math.inf)
        return tuple(
            Weight(n, d, s, Interval(max(d - c * s, 0.0) if s == s else s, d + c * s, self.level), count, g)
            for n, d, s, count, g in zip(
                self.labels, self.delta.tolist(), self.delta_se.tolist(), self.counts, self.given, strict=True
            )
        )

    @property
    def p_values(self) -> Floats:
        """(k,) p values of the studies in the direction sought, by the normal distribution."""
        from balm.stats.selection.drawn import p_values

        return p_values(self.choices.sign * self.effects.effect / self.effects.se, self.choices.alternative)

    def weight_at(self, p: Any) -> Any:
        """The estimated chance of being seen at p values ``p``, relative to the highest over all p (smooth functions
        without a highest: to that at ``p = censored_at``); for truncation, ``p`` above 0.5 is the wrong side of 0.
        """
        from balm.stats.selection.drawn import relative_weight

        return relative_weight(self, p)

    @cached_property
    def heterogeneity_test(self) -> SelectionTest:
        """Likelihood-ratio test of tau2 = 0 under selection, against chi-squared with one degree of freedom.

        Half that p where the null is read as on the boundary (Self & Liang 1987). ``nan`` for common-effect models.
        """
        if self.model == "common" or self._best is None or self.clusters is not None:
            return SelectionTest(math.nan, 1, math.nan)
        likelihood = self._likelihood
        first = likelihood.from_start(self._best.at, {likelihood.p: 0.0})
        known = [first] if likelihood.certain(first, {likelihood.p}) else []
        found = [first, likelihood.from_start(likelihood.starts[0], {likelihood.p: 0.0}, known)]
        inside = [one for one in found if math.isfinite(one.height) and one.residual <= SETTLED]
        if not inside:
            return SelectionTest(math.nan, 1, math.nan)
        statistic = max(0.0, 2.0 * (min(one.height for one in inside) - self._best.height))
        return SelectionTest(statistic, 1, chi2_sf(statistic, 1))

    def profile_interval(self, name: str, *, level: float | None = None) -> Interval:
        """The values of one parameter that a likelihood-ratio test does not reject: "tau2", a coefficient or a weight.

        name : "tau2", a row of ``names``, or the name (or number, "1" the first) of a row of ``weights``.
        Ends are 0 where a bound is reached first and ``inf`` where the likelihood never falls enough.
        """
        from balm.stats.selection.profile_interval import profile_interval

        return profile_interval(self, name, self.level if level is None else level)

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The weight function along p, with a mark for each study."""
        return presenter("weight_function")(self, path, **options)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        count = studies(self.k) if self.clusters is None else f"{self.k} effects in {self.clusters} clusters"
        what = f"Selection model ({self.name}, {self.choices.alternative}; {count})"
        if self.reason:
            return f"{what}: not estimable. {self.reason}"
        text = what
        if len(self.names) == 1:
            mean, before = self._mean(), self.unselected.beta[0]
            text += (
                f": mean effect {mean.estimate:.3f} ({100 * self.level:g}% CI {mean.interval.low:.3f} to "
                f"{mean.interval.high:.3f}) where {before:.3f} is estimated without selection"
            )
            measure = self.effects.measure
            if displayed(0.0, measure) == 1.0:
                ends = [displayed(x, measure) for x in (mean.estimate, *mean.interval)]
                text += f" ({measure} {ends[0]:.2f}, {ends[1]:.2f} to {ends[2]:.2f})"
        if not math.isnan(self.test.p):
            text += (
                f"; the test of no selection gives chi-squared = {self.test.statistic:.2f}, df = {self.test.df}, "
                f"{p_in_words(self.test.p)}"
            )
        return text + "."

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        test = {"statistic": self.test.statistic, "df": self.test.df, "p": self.test.p}
        return {
            "kind": self.choices.kind,
            "alternative": self.choices.alternative,
            "steps": list(self.choices.steps),
            "model": self.model,
            "k": self.k,
            "clusters": self.clusters,
            "names": list(self.names),
            "beta": self.beta.tolist(),
            "se": self.se.tolist(),
            "tau2": self.tau2,
            "tau2_se": self.tau2_se,
            "labels": list(self.labels),
            "delta": self.delta.tolist(),
            "delta_se": self.delta_se.tolist(),
            "given": list(self.given),
            "log_likelihood": self.log_likelihood,
            "log_likelihood_unselected": self.unselected.log_likelihood,
            "test": test,
            "maxima": [[m.log_likelihood, *m.beta, m.tau2, *m.delta] for m in self.maxima],
            "residual": self.residual,
            "quadrature_error": self.quadrature_error,
            "level": self.level,
            "source": self.source,
            "advice": list(self.advice),
            "reason": self.reason,
        }

    def to_frame(self) -> Any:
        """One row a parameter, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame(self._table())

    def _table(self) -> dict[str, Any]:
        rows: list[tuple[str, float, float, float, float]] = [
            (c.name, c.estimate, c.se, c.interval.low, c.interval.high) for c in self.coefficients
        ]
        c = t_critical(self.level, math.inf)
        low = max(0.0, self.tau2 - c * self.tau2_se) if self.tau2_se == self.tau2_se else math.nan
        rows.append(("tau2", self.tau2, self.tau2_se, low, self.tau2 + c * self.tau2_se))
        rows += [(f"weight: {w.name}", w.estimate, w.se, w.interval.low, w.interval.high) for w in self.weights]
        heads = ("parameter", "estimate", "se", "low", "high")
        return {head: [row[j] for row in rows] for j, head in enumerate(heads)}

    def __repr__(self) -> str:
        if self.reason:
            return "\n".join([self.summary, *(f"- {said}" for said in self.advice), self.source])
        notes = [f"Log-likelihood {decimals(self.log_likelihood, 4)}, residual {short(self.residual, 2)} SE"]
        notes += [f"- {said}" for said in self.advice]
        return text_table(self.summary, self._table(), [*notes, self.source])
