"""The direct evidence of one comparison of a network as a body of evidence, which the rules of GRADE look at."""

from __future__ import annotations

import math

import numpy as np

from balm.review.certainty.body import Body, StudyResult
from balm.review.certainty.of_analysis import RANDOMISED, bias_class, by_robins, paid_by_industry
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.networks.planned import NETWORK_RATIOS, folded, names_of
from balm.review.package import Package
from balm.stats.distributions import chi2_sf, norm_isf, t_isf
from balm.vocabulary.evidence import BiasJudgement


def direct_body(
    package: Package,
    result: NetworkResult,
    part: NetworkPart,
    pair: tuple[str, str],
    judged: dict[str, list[BiasJudgement]],
    edge: float,
) -> Body:
    """The studies that compare the two, pooled with the variance between studies of the network.

    Everything is on the analysis scale (the logarithm of a ratio), where no effect is 0; ``edge`` is the smallest
    effect that matters on it, 0 where none is stated. A study of several arms counts with its contrast of the two.
    """
    fit = part.network
    data, tau2 = fit.contrasts, fit.tau2.value if fit.model == "random" else 0.0
    one, two = (data.treatments.index(t) for t in pair)
    here = ((data.first == one) & (data.second == two)) | ((data.first == two) & (data.second == one))
    y = np.where(data.first[here] == one, data.effect[here], -data.effect[here])
    v = data.variance[here]
    weight = 1.0 / (v + tau2)
    estimate, se = float((weight * y).sum() / weight.sum()), float(weight.sum() ** -0.5)
    k = len(y)
    z = norm_isf((1.0 - fit.level) / 2.0)
    q = float(((y - (y / v).sum() / (1 / v).sum()) ** 2 / v).sum())
    by_label = {s.label: s for s in part.studies}
    studies = []
    for i, s in enumerate(data.study[here].tolist()):
        own = by_label[data.studies[s]]
        study = package.study(own.study)
        bias, critical = bias_class(judged.get(own.study, []))
        half = z * math.sqrt(float(v[i]))
        size = [arm.values["n"] for arm in own.arms if arm.treatment in pair]
        studies.append(
            StudyResult(
                own.label,
                100.0 * float(weight[i] / weight.sum()),
                float(y[i]),
                float(y[i]) - half,
                float(y[i]) + half,
                n=max(size) if own.design == "cross-over" else sum(size),
                bias=bias,
                critical=critical,
                randomised=study.design in RANDOMISED and study.n_randomised != 0,
                scope=study.scope,
                industry=paid_by_industry(study.funding),
            )
        )
    prediction = None
    if fit.model == "random" and k > 2:
        reach = t_isf((1.0 - fit.level) / 2.0, k - 1) * math.sqrt(se * se + tau2)
        prediction = (estimate - reach, estimate + reach)
    silent = _silent(package, result, pair)
    return Body(
        result.id,
        tuple(studies),
        estimate=estimate,
        low=estimate - z * se,
        high=estimate + z * se,
        rated_on=f"logarithm of the {fit.measure}" if fit.measure in NETWORK_RATIOS else "the difference",
        unit="" if fit.measure in NETWORK_RATIOS else result.outcome.unit or "",
        important=edge or None,
        prediction=prediction,
        i2=max(0.0, 100.0 * (q - (k - 1)) / q) if q > 0.0 and k > 1 else 0.0,
        tau2=tau2,
        q_p=chi2_sf(q, k - 1) if k > 1 else math.nan,
        silent=len(silent),
        silent_n=float(sum(package.study(s).n_randomised or package.study(s).n_analysed or 0 for s in silent)),
        unpublished=tuple(s.label for s in package.studies if s.scope in ("ongoing", "awaiting")),
        without_high=_without_high(studies, y, v, tau2, z),
        compared=_compared(package, result, [own.label for own in studies], part),
        randomised=all(s.randomised for s in studies),
        robins=any(by_robins(j) for rows in judged.values() for j in rows),
    )


def _silent(package: Package, result: NetworkResult, pair: tuple[str, str]) -> list[str]:
    """Eligible studies that have an arm of both treatments and give no usable number."""
    names = names_of(result.spec, package.arms)
    held: dict[str, set[str]] = {}
    for arm in package.arms:
        if word := getattr(arm, result.spec.treatment):
            held.setdefault(arm.study, set()).add(names.get(folded(word), ""))
    return [study for study, _ in result.not_used if set(pair) <= held.get(study, set())]


def _without_high(
    studies: list[StudyResult], y: np.ndarray, v: np.ndarray, tau2: float, z: float
) -> tuple[float, float, float] | None:
    """Estimate and interval without the studies at high risk of bias; ``None`` where none is, or nothing is left."""
    keep = np.array([s.bias != "high" for s in studies])
    if keep.all() or not keep.any():
        return None
    weight = 1.0 / (v[keep] + tau2)
    estimate, half = float((weight * y[keep]).sum() / weight.sum()), z * float(weight.sum() ** -0.5)
    return estimate, estimate - half, estimate + half


def _compared(
    package: Package, result: NetworkResult, labels: list[str], part: NetworkPart
) -> tuple[tuple[str, str, str], ...]:
    """Population and time as asked beside what these studies are."""
    own = [s for s in part.studies if s.label in labels]

    def told(values: list[str | None]) -> str:
        counted: dict[str, int] = {}
        for value in values:
            counted[value or "not stated"] = counted.get(value or "not stated", 0) + 1
        return "; ".join(f"{value} ({n})" for value, n in counted.items())

    return (
        ("population", package.meta.question.population, told([package.study(s.study).condition for s in own])),
        ("outcome", result.outcome.name, told([s.timepoint for s in own])),
    )
