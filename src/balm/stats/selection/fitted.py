"""What a selection model found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.multilevel.grouping import Grouping
from balm.stats.multilevel.newton import Minimum
from balm.stats.regression.meta_regression import Coefficient
from balm.stats.selection.likelihood import SETTLED, Likelihood, sharpened, typical_unit
from balm.stats.selection.selected import Selected, Smooth, Steps
from balm.stats.selection.weight_functions import WEIGHT_FUNCTIONS
from balm.stats.small_study.studies import p_in_words
from balm.stats.tails import OneTail, t_critical
from balm.stats.transforms import displayed
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import fixed as decimals
from balm.vocabulary.numbers import short
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError

#: Weights that rest on fewer studies than this say little.
FEW = 4
STEP_SOURCE = "Hedges LV. Stat Sci 1992;7:246-55; Vevea JL, Hedges LV. Psychometrika 1995;60:419-35"
TRUNCATED_SOURCE = "Rust RT, Lehmann DR, Farley JU. J Mark Res 1990;27:220-6"


@dataclass(frozen=True, eq=False)
class Choices:
    """How the model was asked for. ``sign`` is -1 where small effects were sought and the data were turned."""

    weight: str
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
        weight = self.choices.weight
        if weight == "step":
            return "step function"
        return "truncation" if weight == "truncated" else WEIGHT_FUNCTIONS[weight].name

    @property
    def source(self) -> str:
        """Where the model is described."""
        weight = self.choices.weight
        if weight == "step":
            return STEP_SOURCE
        return TRUNCATED_SOURCE if weight == "truncated" else WEIGHT_FUNCTIONS[weight].source

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
                f": mean effect {mean.estimate:.3f} ({100 * self.level:g} % CI {mean.interval.low:.3f} to "
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
            "weight": self.choices.weight,
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


def fitted(y: Floats, v: Floats, x: Floats, selected: Selected, common: bool, choices: Choices) -> SelectionModel:
    """The highest maximum, with everything around it; ``y`` and ``x`` on the turned scale."""
    estimated = x.shape[1] + (0 if common else 1) + selected.wanted
    if len(y) <= estimated:
        raise InputError(
            f"selection_model needs more studies than the {estimated} parameters of this model; there are {len(y)}"
        )
    unit = typical_unit(v, x)
    likelihood = Likelihood(y / unit, v / unit**2, x, _in_units(selected, unit), common=common)
    found = likelihood.maxima(likelihood.starts)
    likelihood, found, error = sharpened(likelihood, found)
    return result(likelihood, found, error, unit, choices)


def _in_units(selected: Selected, unit: float) -> Selected:
    """Edges and standard errors counted in ``unit`` too."""
    if isinstance(selected, Steps):
        return selected.in_units(unit)
    assert isinstance(selected, Smooth)
    return selected.in_units(unit)


def result(likelihood: Likelihood, found: list[Minimum], error: float, unit: float, choices: Choices) -> SelectionModel:
    """From maxima in units of ``unit`` on the turned scale to a result on the scale of the effects."""
    p, selected, sign = likelihood.p, likelihood.selected, choices.sign
    shown = 1 if choices.weight == "truncated" else 0  # the weight of the right side is 1 by definition
    shift = likelihood.k * math.log(unit)

    def told(one: Minimum) -> Maximum:
        beta = sign * unit * one.at[:p]
        return Maximum(
            -one.height - shift,
            tuple((beta + 0.0).tolist()),
            float(one.at[p]) * unit**2,
            tuple(selected.delta(one.at[p + 1 :])[shown:].tolist()),
        )

    inside = [one for one in found if likelihood.inside(one)]
    outside = [one for one in found if not likelihood.inside(one)]
    said: list[str] = []
    reason = ""
    best = inside[0] if inside else None
    if best is None:
        reason = _why(outside, likelihood)
    else:
        higher = [one for one in outside if one.height < best.height - 1e-6 * (1.0 + abs(best.height))]
        if higher:
            said.append(
                f"The likelihood rises further (to a log-likelihood of {-min(o.height for o in higher) - shift:.3f}) "
                "where a parameter of the selection or tau2 leaves every bound; the fit is the highest maximum inside."
            )
        if len(inside) > 1:
            others = ", ".join(f"{told(o).beta[0]:.3f} ({told(o).log_likelihood:.3f})" for o in inside[1:4])
            said.append(
                f"The likelihood has several maxima; the fit is the highest ({told(best).log_likelihood:.3f}). Others, "
                f"{choices.names[0]} (log-likelihood): {others}."
            )
    count = len(selected.delta(selected.neutral)) - shown
    nothing = Maximum(math.nan, (math.nan,) * p, math.nan, (math.nan,) * count)
    top = nothing if best is None else told(best)
    before, before_tau2, before_height = likelihood.plain
    plain = Maximum(before_height - shift, tuple((sign * unit * before + 0.0).tolist()), before_tau2 * unit**2, ())
    covariance, tau2_se, delta_se = np.full((p, p), math.nan), math.nan, np.full(count, math.nan)
    if best is not None:
        covariance, tau2_se, delta_se = _errors(likelihood, best, unit, choices, said)
        delta_se = delta_se[shown:]
    labels, counts, given, free = _labels(selected, choices)
    said += _about(selected, choices, plain, labels)
    statistic, p_value = math.nan, math.nan
    if best is not None and choices.cluster is None:
        statistic = max(0.0, 2.0 * (top.log_likelihood - plain.log_likelihood))
        if free:
            p_value = chi2_sf(statistic, free)
    return SelectionModel(
        choices=choices,
        model="common" if likelihood.common else "random",
        beta=np.array(top.beta),
        covariance=covariance,
        tau2=top.tau2,
        tau2_se=tau2_se,
        delta=np.array(top.delta),
        delta_se=delta_se,
        labels=labels,
        given=given,
        counts=counts,
        log_likelihood=top.log_likelihood,
        unselected=plain,
        test=SelectionTest(statistic, free, p_value),
        maxima=tuple(told(one) for one in inside),
        residual=math.nan if best is None else best.residual,
        quadrature_error=error,
        clusters=None if choices.cluster is None else choices.cluster.count,
        advice=tuple(said),
        reason=reason,
        _likelihood=likelihood,
        _best=best,
        _unit=unit,
    )


def _why(outside: list[Minimum], likelihood: Likelihood) -> str:
    if not outside:
        return "The likelihood could not be computed from any start."
    stuck = [one for one in outside if one.residual > 1e-4]
    if len(stuck) == len(outside):
        left = min(one.residual for one in outside)
        return f"The search did not settle: {left:.2g} standard errors are left of its last step."
    return (
        "The likelihood keeps rising as a parameter of the selection leaves every bound, and has no maximum inside: "
        "these studies do not tell selection from the effects. Take another weight function, or fix the weights."
    )


def _errors(
    likelihood: Likelihood, best: Minimum, unit: float, choices: Choices, said: list[str]
) -> tuple[Floats, float, Floats]:
    """Covariance of the coefficients, errors of tau2 and of delta: of the parameters that lie on no bound."""
    p, selected = likelihood.p, likelihood.selected
    count = len(selected.delta(selected.neutral))
    none = np.full((p, p), math.nan), math.nan, np.full(count, math.nan)
    free = np.flatnonzero((best.at > likelihood.lower) & (best.at < likelihood.upper))
    curvature = best.curvature[np.ix_(free, free)]
    scale = np.sqrt(np.abs(np.diag(curvature)))
    if not (scale > 0.0).all():
        said.append("The likelihood is flat at its maximum: there are no standard errors.")
        return none
    roots = np.linalg.eigvalsh(curvature / np.outer(scale, scale))
    if not roots[0] > 1e-12 * roots[-1]:
        said.append("The likelihood is flat at its maximum: there are no standard errors.")
        return none
    inverse = np.linalg.inv(curvature / np.outer(scale, scale)) / np.outer(scale, scale)
    if choices.cluster is not None:
        evaluated = likelihood.evaluated(best.at)
        assert evaluated is not None
        sums = np.zeros((choices.cluster.count, len(free)))
        np.add.at(sums, choices.cluster.codes, evaluated.slopes[:, free])
        inverse = inverse @ (sums.T @ sums) @ inverse
    whole = np.full((likelihood.size, likelihood.size), math.nan)
    whole[np.ix_(free, free)] = inverse
    jacobian = selected.jacobian(best.at[p + 1 :])
    working = np.sqrt(np.maximum(np.diag(whole)[p + 1 :], 0.0))
    delta_se = np.full(count, math.nan)
    for j in range(selected.size):
        row = int(np.flatnonzero(jacobian[:, j])[0])
        delta_se[row] = jacobian[row, j] * working[j]
    variance = float(whole[p, p])
    return whole[:p, :p] * unit**2, math.sqrt(variance) * unit**2 if variance >= 0.0 else math.nan, delta_se


def _labels(
    selected: Selected, choices: Choices
) -> tuple[tuple[str, ...], tuple[int | None, ...], tuple[bool, ...], int]:
    """Names of the weights, studies in each, whether each was given, and how many were not."""
    if isinstance(selected, Steps):
        counts = tuple(int(c) for c in selected.counts)
        if choices.weight == "truncated":
            side = "below" if choices.sign > 0.0 else "above"
            where = f"{choices.truncation:.6g}"
            labels: tuple[str, ...] = (f"{side} {where}",)
            return labels, counts[1:], (not selected.asked[1],), selected.wanted
        edges = (0.0, *choices.steps)
        labels = tuple(f"p <= {high:g}" if low == 0.0 else f"{low:g} < p <= {high:g}" for low, high in pairwise(edges))
        asked = selected.asked
        first = int(np.flatnonzero(selected.counts)[0])
        given = tuple((not a) or (bool(asked.all()) and j == first) for j, a in enumerate(asked.tolist()))
        return labels, counts, given, selected.wanted
    assert isinstance(selected, Smooth)
    total = len(selected.given)
    labels = ("delta",) if total == 1 else tuple(f"delta_{j + 1}" for j in range(total))
    given = tuple(not math.isnan(g) for g in selected.given.tolist())
    return labels, (None,) * total, given, selected.wanted


def _about(selected: Selected, choices: Choices, plain: Maximum, labels: tuple[str, ...]) -> list[str]:
    said = []
    if isinstance(selected, Steps):
        few = []
        for j, (count, asked) in enumerate(zip(selected.counts.tolist(), selected.asked.tolist(), strict=True)):
            name = choices.truncation if choices.weight == "truncated" else labels[j]
            if asked and count == 0:
                said.append(
                    f"No study lies in {name}: its weight is estimated as 0."
                    if choices.weight == "step"
                    else f"No effect lies on the wrong side of {name:g}: its weight is estimated as 0."
                )
            elif asked and count < FEW and choices.weight == "step":
                few.append(f"{name} ({count})")
        if few:
            said.append(f"Few studies carry the weight of {', '.join(few)}: the other estimates hang on them.")
    if choices.alternative != "two-sided" and len(choices.names) == 1:
        wrong = plain.beta[0] < 0.0 if choices.alternative == "greater" else plain.beta[0] > 0.0
        if wrong:
            other = "less" if choices.alternative == "greater" else "greater"
            said.append(
                f"Without selection the mean is {plain.beta[0]:.3f}, yet alternative={choices.alternative!r} says that "
                f"the other direction was sought; if not, take alternative={other!r}."
            )
    return said
