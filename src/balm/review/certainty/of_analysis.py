"""The body of evidence behind an analysis, drawn from the package and what was computed from it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from balm.review.analysis_data import canonical, data_of
from balm.review.certainty.body import Body, StudyResult
from balm.review.contrasts import Changes, EffectRow, effects_of
from balm.review.package import AnalysisSpec, Package
from balm.review.risk_of_bias.of_analysis import at_risk, judgements_for
from balm.review.risk_of_bias.words import AT_HIGH_RISK, OVERALL
from balm.review.synthesis import AnalysisResult, fit_of, rows_of
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.small_study_test import small_study_test
from balm.stats.transforms import displayed
from balm.vocabulary.evidence import BiasJudgement
from balm.vocabulary.problems import InputError

RATIOS = ("RR", "OR", "HR", "IRR", "PETO", "ROM")
#: Measures whose effect becomes so many of 1000 people at a risk without the intervention.
WITH_BASELINE = ("RR", "OR", "PETO", "RD", "HR")
RANDOMISED = ("parallel", "cross-over", "cluster")
PER = 1000
#: Normal quantile for the interval of one study's own effect.
Z95 = 1.959963984540054

#: Why studies that were found leave nothing to rate.
NOT_ESTIMABLE = "the studies found give no effect that could be estimated"
NO_TOTAL = "the plan asks for no total of these studies: rate each subgroup as an analysis of its own"

Rated = Callable[[float], float]


def body_of(package: Package, result: AnalysisResult, baseline: float | None = None) -> Body:
    """Everything the rules look at. ``baseline`` is a chosen risk in the control group; the trials' own without it."""
    spec, fit = result.spec, result.whole
    controlled = result.comparison.group_2 is not None
    known = {s.study: s for s in package.studies}
    silent = [known[s] for s, _ in result.not_pooled if s in known]
    waiting = tuple(s.label for s in package.studies if s.scope in ("ongoing", "awaiting")) if controlled else ()
    empty = Body(
        result.id,
        (),
        silent=len(silent),
        silent_n=float(sum(s.n_randomised or s.n_analysed or 0 for s in silent)),
        unpublished=waiting,
        controlled=controlled,
    )
    if fit is None or math.isnan(fit.estimate):
        return replace(empty, nothing=NOT_ESTIMABLE) if result.rows else empty
    if fit.k > 1 and not spec.overall:
        return replace(empty, nothing=NO_TOTAL)
    base = baseline if baseline is not None else own_baseline(result)
    rated, rated_on, unit = _rating_scale(result, base)
    shown = fit.displayed
    ratio = (shown.estimate, shown.interval.low, shown.interval.high) if fit.measure in RATIOS else None
    judged = judgements_for(package, spec)
    studies = _studies(package, result, fit, judged, rated)
    prediction = None
    if fit.k > 1 and math.isfinite(shown.prediction_interval.low) and math.isfinite(shown.prediction_interval.high):
        prediction = (rated(shown.prediction_interval.low), rated(shown.prediction_interval.high))
    important, source = _important(result, unit)
    return replace(
        empty,
        studies=studies,
        estimate=rated(shown.estimate),
        low=rated(shown.interval.low),
        high=rated(shown.interval.high),
        rated_on=rated_on,
        unit=unit,
        important=important,
        important_source=source,
        ratio=ratio,
        ratio_kind=fit.measure if ratio else "",
        prediction=prediction,
        i2=fit.i2,
        tau2=fit.tau2,
        q_p=fit.q_p,
        subgroup_p=result.subgroup_test.get("p"),
        subgroup_by=spec.by or "",
        baseline=base,
        sd=1.0 if fit.measure == "SMD" else _pooled_sd(result.rows),
        wald=_wald(fit, rated),
        events=_implied_events(fit),
        without_high=_without_high(package, spec, result, rated),
        small_study_p=_small_study(fit),
        compared=_compared(package, result),
        randomised=all(s.randomised for s in studies),
        robins=any(by_robins(j) for rows in judged.values() for j in rows),
    )


def basis_of(package: Package, result: AnalysisResult) -> str:
    """What a decision rests on, as a short hash: the numbers used, the result, the risk-of-bias judgements, and the
    important difference that its target is set by.

    A decision kept with another hash is stale: the data, the plan or the judgements have changed since.
    """
    return bases_of(package, result)[0]


def bases_of(package: Package, result: AnalysisResult) -> tuple[str, ...]:
    """:func:`basis_of`, and as decisions kept it before the important difference was part of it.

    A decision that was kept so is not stale for that; a change of the difference since cannot be told from it.
    """
    fit = result.whole
    judged = {
        study: [[j.tool, j.domain, j.judgement] for j in rows]
        for study, rows in judgements_for(package, result.spec).items()
    }
    # To six digits: the last ones differ from machine to machine, and no decision rests on them.
    model = None if fit is None else [f"{x:.6g}" for x in (fit.estimate, fit.interval.low, fit.interval.high)]
    whole = {
        "analysis": result.id,
        "data": data_of(result),
        "result": model,
        "bias": judged,
        "silent": [s for s, _ in result.not_pooled],
    }
    d = result.outcome.important_difference
    matters = d is not None and d.between_groups and result.comparison.group_2 is not None
    both = ({**whole, "important": [d.value, d.unit]}, whole) if d is not None and matters else (whole,)
    return tuple(hashlib.sha256(canonical(one).encode()).hexdigest()[:16] for one in both)


def own_baseline(result: AnalysisResult) -> float | None:
    """Risk in the control groups of the studies used, all together; ``None`` without counts."""
    fit = result.whole
    if fit is None:
        return None
    used = [r for r in used_rows(result) if "events_2" in r.values]
    people = sum(r.values["n_2"] for r in used)
    return sum(r.values["events_2"] for r in used) / people if people else None


def participants_of(row: EffectRow) -> float:
    """Participants of one line, ``nan`` where not known; in a cross-over trial the same people are in both groups."""
    v = row.values
    if row.people is not None:
        return row.people
    if "n" in v:
        return v["n"]
    one, two = v.get("n_1", math.nan), v.get("n_2", math.nan)
    return max(one, two) if row.design == "cross-over" else one + two


def participants(rows: Iterable[EffectRow]) -> int | None:
    """Participants of several lines; ``None`` where those of one are not known, and for none."""
    known = [participants_of(row) for row in rows]
    return round(math.fsum(known)) if known and not any(map(math.isnan, known)) else None


def used_rows(result: AnalysisResult) -> tuple[EffectRow, ...]:
    """The rows whose effects were pooled: without those that carry no information; all where nothing was."""
    if result.whole is None:
        return result.rows
    return tuple(row for row in result.rows if row.label in result.whole.effects.study)


def _rating_scale(result: AnalysisResult, base: float | None) -> tuple[Rated, str, str]:
    """How a displayed value moves to the rated scale, what that scale is, and its unit."""
    if result.comparison.group_2 is None:
        return (lambda x: PER * x), "proportion per 1000", "per 1000"
    if result.measure == "RD":
        return (lambda x: PER * x), "risk difference per 1000", "per 1000"
    if result.measure == "RR" and base:
        return (lambda x: PER * (min(1.0, x * base) - base)), "risk difference per 1000", "per 1000"
    if result.measure in ("OR", "PETO") and base:
        return (
            (lambda x: PER * ((x * base / (1 - base + x * base) if math.isfinite(x) else 1.0) - base)),
            "risk difference per 1000",
            "per 1000",
        )
    if result.measure == "HR" and base:
        return (lambda x: PER * (1 - (1 - base) ** x - base)), "risk difference per 1000", "per 1000"
    if result.measure in RATIOS:
        return (lambda x: math.log(x) if x > 0 else -math.inf), f"logarithm of the {result.measure}", ""
    if result.measure == "SMD":
        return (lambda x: x), "the standardised difference", "standard deviations"
    return (lambda x: x), "the difference", result.outcome.unit or ""


def _important(result: AnalysisResult, unit: str) -> tuple[float | None, str]:
    """The minimal important difference where it is one between groups and fits the rated scale."""
    d = result.outcome.important_difference
    if d is None or not d.between_groups or result.comparison.group_2 is None:
        return None, ""
    told = d.verified or "not verified" in d.source
    source = d.source if told else f"{d.source} (not verified)"
    if result.measure == "MD" or (unit == "per 1000" and "1000" in d.unit):
        return abs(d.value), source
    return None, ""


def _studies(
    package: Package,
    result: AnalysisResult,
    fit: Pooled,
    judged: dict[str, list[BiasJudgement]],
    rated: Rated,
) -> tuple[StudyResult, ...]:
    found = []
    rows = {r.label: r for r in result.rows}
    weights = fit.weights.tolist()
    for i, label in enumerate(fit.effects.study):
        row = rows[label]
        study = package.study(row.study)
        y, se = float(fit.effects.effect[i]), math.sqrt(float(fit.effects.variance[i]))
        people = _people(fit, row)
        middle, low, high = (
            rated(float(displayed(x, fit.measure, n_harmonic=people))) for x in (y, y - Z95 * se, y + Z95 * se)
        )
        bias, critical = bias_class(judged.get(row.study, []))
        found.append(
            StudyResult(
                label,
                float(weights[i]),
                middle,
                low,
                high,
                n=participants_of(row),
                bias=bias,
                critical=critical,
                randomised=study.design in RANDOMISED and study.n_randomised != 0,
                scope=study.scope,
                industry=paid_by_industry(study.funding),
            )
        )
    return tuple(found)


def _people(fit: Pooled, row: EffectRow) -> float | None:
    return participants_of(row) if fit.measure in ("PFT", "IRFT") else None


def bias_class(rows: list[BiasJudgement]) -> tuple[str, bool]:
    """The study's class of bias, by its overall judgement or else its worst domain; and whether it is critical."""
    bias = [j for j in rows if not j.domain.endswith(": applicability")]
    overall = [j for j in bias if j.domain.casefold().startswith(OVERALL.casefold())]
    words = {j.judgement for j in overall or bias} - {"not applicable"}
    if not words:
        return "not assessed", False
    if words & set(AT_HIGH_RISK):
        return "high", "critical" in words
    return ("low" if words <= {"low", "yes"} else "some"), False


def by_robins(judgement: BiasJudgement) -> bool:
    """Whether a judgement was made with ROBINS-I, coded here or named in words."""
    named = judgement.instrument or judgement.tool.casefold().replace(" ", "-")
    return named.startswith("robins-i")


def _wald(fit: Pooled, rated: Rated) -> tuple[float, float] | None:
    """Wald's interval beside one of two studies with a degree of freedom; ``None`` where it is that interval."""
    if fit.k != 2 or fit.df != 1:
        return None
    half = Z95 * _wald_se(fit)
    ends = (rated(float(displayed(x, fit.measure))) for x in (fit.estimate - half, fit.estimate + half))
    low, high = sorted(ends)
    return low, high


def _wald_se(fit: Pooled) -> float:
    tau2 = fit.tau2 if math.isfinite(fit.tau2) else 0.0
    return 1 / math.sqrt(math.fsum(1 / (float(v) + tau2) for v in fit.effects.variance))


def _implied_events(fit: Pooled) -> float | None:
    """Events behind hazard ratios: 4 / variance of each (two equal groups, Schoenfeld 1981)."""
    if fit.measure != "HR":
        return None
    return math.fsum(4 / float(v) for v in fit.effects.variance)


def paid_by_industry(funding: str | None) -> bool:
    """Whether the funding names industry, as far as its words say so."""
    text = (funding or "").casefold()
    return any(word in text for word in ("industry", "manufacturer", "pharma")) and not text.startswith("no")


def _pooled_sd(rows: tuple[EffectRow, ...]) -> float | None:
    """Standard deviation within groups over all rows that give two."""
    parts = [
        (r.values[f"n_{g}"] - 1, r.values[f"sd_{g}"])
        for r in rows
        for g in (1, 2)
        if f"sd_{g}" in r.values and f"n_{g}" in r.values and r.values[f"n_{g}"] > 1
    ]
    df = sum(n for n, _ in parts)
    return math.sqrt(sum(n * sd * sd for n, sd in parts) / df) if df > 0 else None


def _without_high(
    package: Package, spec: AnalysisSpec, result: AnalysisResult, rated: Rated
) -> tuple[float, float, float] | None:
    used = {r.study for r in result.rows}
    out = tuple(s for s in at_risk(package, spec) if s in used)
    if not out or len(out) == len(used):
        return None
    rows, _ = rows_of(package, spec, Changes(without=out))
    effects = effects_of(rows, spec, spec.measure) if rows else None
    fit = fit_of(effects, spec) if effects is not None else None
    if fit is None or math.isnan(fit.estimate):
        return None
    shown = fit.displayed
    return rated(shown.estimate), rated(shown.interval.low), rated(shown.interval.high)


def _small_study(fit: Pooled) -> float | None:
    if fit.k < 10:
        return None
    try:
        return float(small_study_test(fit).p)
    except InputError:
        return None


def _compared(package: Package, result: AnalysisResult) -> tuple[tuple[str, str, str], ...]:
    """The question beside what the studies used say, each value with its number of studies."""
    q = package.meta.question
    used = [package.study(s) for s in dict.fromkeys(r.study for r in result.rows)]

    def told(values: list[str | None]) -> str:
        counted: dict[str, int] = {}
        for v in values:
            counted[v or "not stated"] = counted.get(v or "not stated", 0) + 1
        return "; ".join(f"{v} ({n})" for v, n in counted.items())

    return (
        ("population", q.population, told([s.condition for s in used])),
        ("intervention", q.intervention, told([" ".join(filter(None, (s.drug_form, s.route))) or None for s in used])),
        ("comparator", q.comparators, told([s.comparator for s in used])),
        ("outcome", result.outcome.name, told([r.timepoint for r in result.rows])),
    )
