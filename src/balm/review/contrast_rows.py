"""From ``contrasts.csv`` to the rows of an analysis: effects reported between two arms, pooled as they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from balm.review.contrasts import Changes, EffectRow, conversion_steps, days, timepoint_of, window_of
from balm.review.package import AnalysisSpec, Package
from balm.review.plan import RATIOS
from balm.stats import convert
from balm.stats.convert.converted import Converted
from balm.vocabulary.evidence import Contrast, Study
from balm.vocabulary.problems import InputError


def contrast_rows(
    package: Package, spec: AnalysisSpec, changes: Changes
) -> tuple[tuple[EffectRow, ...], tuple[tuple[str, str], ...]]:
    """The rows of an analysis of contrasts, one a study, and ``(study, why)`` for every study that gives none.

    The effect is the estimate, or its logarithm where the measure is a ratio; the standard error is the one given (of
    the logarithm for a ratio), else that of the interval; of a difference also that of the spread of within-person
    differences, of t, F or an exact p with the participants. Clusters that the report ignored inflate it.
    """
    wanted = set(spec.contrasts)
    named: dict[str, list[Contrast]] = {}
    for c in package.contrasts:
        if c.contrast in wanted:
            named.setdefault(c.study, []).append(c)
    rows: list[EffectRow] = []
    left_out: list[tuple[str, str]] = []
    for study in package.studies:
        here = named.get(study.study, [])
        if not here or study.scope not in spec.scopes or (spec.studies and study.study not in spec.studies):
            continue
        found = _row(package, spec, study, here, changes)
        if isinstance(found, EffectRow):
            rows.append(found)
        else:
            left_out.append((study.study, found))
    return tuple(rows), tuple(left_out)


def _row(package: Package, spec: AnalysisSpec, study: Study, here: list[Contrast], changes: Changes) -> EffectRow | str:
    """The study's row, or why it has none."""
    if study.study in changes.without:
        return "left out in this sensitivity analysis"
    if study.design not in spec.designs:
        return f"design: {study.design}"
    if not study.verified or not any(c.verified for c in here):
        return "not verified against a source"
    usable = [c for c in here if c.usable and c.verified]
    if not usable:
        return "; ".join(dict.fromkeys(c.why_not for c in here if c.why_not)) or "not usable"
    if spec.windows:
        usable = [c for c in usable if window_of(c, package.meta.windows) in spec.windows]
        if not usable:
            return "reported for other times only"
    comparison = package.meta.comparison(spec.comparison)
    roles = {a.arm: a.role for a in package.arms if a.study == study.study}
    sided = [
        c
        for c in usable
        if roles.get(c.arm_1) in comparison.roles_1
        and (not comparison.roles_2 or roles.get(c.arm_2) in comparison.roles_2)
    ]
    if not sided:
        return "compares other groups than this analysis"
    at = [math.inf if (d := days(c.time, c.time_unit)) is None else d for c in sided]
    place = (
        max(range(len(sided)), key=at.__getitem__)
        if spec.several == "last"
        else min(range(len(sided)), key=at.__getitem__)
    )
    chosen = sided[place]
    try:
        values, steps = contrast_numbers(chosen, ratio=spec.measure in RATIOS)
    except InputError as error:
        return str(error)
    if not values:
        return "no standard error or interval beside the estimate" if chosen.estimate is not None else "no estimate"
    return EffectRow(
        study=study.study,
        label=study.label,
        values=MappingProxyType(values),
        results=(chosen.contrast,),
        rows=(chosen.row,),
        steps=tuple(steps),
        sources=(chosen.source,) if chosen.source else (),
        notes=(chosen.notes,) if chosen.notes else (),
        timepoint=timepoint_of(chosen),
        design=study.design,
        people=_people(package, chosen),
    )


def _people(package: Package, c: Contrast) -> float | None:
    """The participants of a contrast: those it gives, else those of its two arms; ``None`` where they are not known."""
    if c.pairs is not None:
        return float(c.pairs)
    arms = {a.arm: a.n for a in package.arms if a.study == c.study}
    one = c.n_1 if c.n_1 is not None else arms.get(c.arm_1)
    two = c.n_2 if c.n_2 is not None else arms.get(c.arm_2)
    if one is None or two is None:
        return None
    crossed = package.study(c.study).design == "cross-over" and c.period != "first"
    return float(max(one, two) if crossed else one + two)


def contrast_numbers(c: Contrast, *, ratio: bool) -> tuple[dict[str, float], list[Any]]:
    """Effect and standard error on the scale of the analysis; empty when one of them is not there."""
    if c.estimate is None:
        return {}, []
    if ratio and c.estimate <= 0:
        raise InputError(f"a ratio must be above 0; got {c.estimate:g}")
    effect = math.log(c.estimate) if ratio else c.estimate
    if c.value_is == "reduction" and not ratio:
        effect = -effect
    se: Any = c.se if c.se is not None else _se(c, ratio=ratio)
    if se is None:
        return {}, []
    if c.icc is not None and c.cluster_size is not None and not c.cluster_adjusted:
        se = convert.se_inflated_for_clustering(se=se, icc=c.icc, cluster_size=c.cluster_size)
    steps = conversion_steps(se, c.contrast) if isinstance(se, Converted) else []
    return {"effect": effect, "se": float(se)}, steps


def _se(c: Contrast, *, ratio: bool) -> Converted | None:
    """The standard error from what else is reported: an interval, the spread of differences, t, F or an exact p."""
    d: Mapping[str, Any] = {"difference": c.estimate}
    two = c.n_1 is not None and c.n_2 is not None
    if c.ci_low is not None and c.ci_high is not None:
        ends: dict[str, Any] = {"low": c.ci_low, "high": c.ci_high, "level": c.level or 0.95}
        if not ratio and not c.adjusted_for and c.pairs is not None:
            return convert.se_of_paired_difference_from_ci(**ends, **d, n=c.pairs)
        if not ratio and not c.adjusted_for and two:
            return convert.se_of_difference_from_ci(**ends, **d, n_1=c.n_1, n_2=c.n_2)
        return convert.effect_from_wald(estimate=c.estimate, **ends, scale="log" if ratio else "identity").only("se")
    if ratio:
        return None
    if c.sd_difference is not None and c.pairs is not None:
        return convert.se_of_paired_difference_from_sd(sd=c.sd_difference, n=c.pairs)
    if c.t is not None:
        paired = c.pairs is not None
        return (convert.se_of_paired_difference_from_t if paired else convert.se_of_difference_from_t)(**d, t=c.t)
    if c.f is not None:
        return convert.se_of_difference_from_f(**d, f=c.f)
    p = c.p.exact if c.p is not None else None
    if p is not None and c.pairs is not None:
        return convert.se_of_paired_difference_from_p(**d, p=p, n=c.pairs)
    if p is not None and two:
        return convert.se_of_difference_from_p(**d, p=p, n_1=c.n_1, n_2=c.n_2)
    return None
