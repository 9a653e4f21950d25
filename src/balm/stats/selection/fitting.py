"""From data and a selection to the fitted model: the highest maximum, its errors, and what to know about it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.newton import Minimum
from balm.stats.selection.fitted import Choices, Maximum, SelectionModel, SelectionTest
from balm.stats.selection.likelihood import SETTLED, Likelihood, sharpened, typical_unit
from balm.stats.selection.selected import Selected, Smooth, Steps
from balm.vocabulary.problems import InputError

#: Weights that rest on fewer studies than this say little.
FEW = 4


def fitted(y: Floats, v: Floats, x: Floats, selected: Selected, common: bool, choices: Choices) -> SelectionModel:
    """The highest maximum, with everything around it; ``y`` and ``x`` on the turned scale."""
    estimated = x.shape[1] + (0 if common else 1) + selected.wanted
    if len(y) <= estimated:
        raise InputError(
            f"selection_model needs more studies than the {estimated} parameters of this model; there are {len(y)}"
        )
    unit = typical_unit(v, x)
    likelihood = Likelihood(y / unit, v / unit**2, x, selected.in_units(unit), common=common)
    found = likelihood.maxima(likelihood.starts)
    likelihood, found, error = sharpened(likelihood, found)
    return result(likelihood, found, error, unit, choices)


def result(likelihood: Likelihood, found: list[Minimum], error: float, unit: float, choices: Choices) -> SelectionModel:
    """From maxima in units of ``unit`` on the turned scale to a result on the scale of the effects."""
    p, selected, sign = likelihood.p, likelihood.selected, choices.sign
    shown = 1 if choices.kind == "truncated" else 0  # the weight of the right side is 1 by definition
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
    stuck = [one for one in outside if one.residual > SETTLED]
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
        if choices.kind == "truncated":
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
            name = choices.truncation if choices.kind == "truncated" else labels[j]
            if asked and count == 0:
                said.append(
                    f"No study lies in {name}: its weight is estimated as 0."
                    if choices.kind == "step"
                    else f"No effect lies on the wrong side of {name:g}: its weight is estimated as 0."
                )
            elif asked and count < FEW and choices.kind == "step":
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
