"""From arms and results to the rows of an analysis: windows, scales, spreads, combined arms, cross-over trials.

Every number used is tied to the rows of ``results.csv`` it came from, and every change on the way is a step of
:mod:`balm.stats.convert` with its formula, inputs and source.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.review.package import AnalysisSpec, Comparison, Outcome, Package, Window
from balm.review.plan import PLANNED_MEASURES
from balm.review.reading import read_assumption
from balm.review.revman.pooling import REVMAN_PROFILES, with_everyone
from balm.stats import convert
from balm.stats.convert.converted import Converted
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.vocabulary.evidence import Result, Study
from balm.vocabulary.problems import InputError

#: Days in one unit of time; a month is a twelfth of 365.25 days.
DAYS = {"min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 365.25 / 12, "y": 365.25}
UNITS_IN_WORDS = {"min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month", "y": "year"}

BECKER_BALAGTAS = (
    "marginal variance of a cross-over trial: Becker & Balagtas 1993, Biometrics 49:997; "
    "Elbourne et al. 2002, Int J Epidemiol 31:140"
)
AS_IF_PARALLEL = "cross-over trial without paired data, analysed as if parallel (within-person correlation 0)"
FIRST_PERIOD = "first period of a cross-over trial, analysed as a parallel trial"
NO_ICC = "cluster trial without an intracluster correlation, analysed as if individuals had been randomised"
#: Measures whose variance can be given a within-person correlation from the arms' own numbers.
CORRELATED_MEASURES = ("MD", "RR", "OR", "RD")


@dataclass(frozen=True, slots=True)
class Step:
    """One conversion on the way from the printed number to the number used: walked back by reading ``inputs``."""

    what: str  # "sd from se"
    formula: str  # "SD = SE × √n"
    inputs: Mapping[str, Any]
    value: Mapping[str, Any]
    source: str  # "Cochrane Handbook 6.5.2.2"
    result: str  # the id of the row of results.csv it starts from


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One study's line in an analysis.

    ``values`` are the numbers used (``events_1``, ``n_1``, ``mean_1`` ...); ``results`` the ids and ``rows`` the data
    rows of ``results.csv`` they came from, or of ``contrasts.csv`` in an analysis of contrasts (none for an assumed
    count); ``sources`` the pages they were read on; ``people`` the participants of a contrast, where it says them.
    """

    study: str
    label: str
    values: Mapping[str, float]
    results: tuple[str, ...]
    rows: tuple[int, ...]
    steps: tuple[Step, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    timepoint: str | None = None
    design: str = "parallel"
    correlation: float | None = None  # within-person, of a cross-over trial that reports it
    people: float | None = None  # participants of a contrast, whose values hold no numbers of people


@dataclass(frozen=True, slots=True)
class Changes:
    """What a sensitivity analysis does differently in choosing and reading the rows."""

    spread: str | None = None
    without: tuple[str, ...] = ()
    added: tuple[str, ...] = ()  # "study" or "study:outcome"
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One group of one study at one time point: its numbers, where they came from and what was done."""

    values: Mapping[str, float]
    results: tuple[Result, ...]
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    rows: list[EffectRow] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def days(time: float | None, unit: str | None) -> float | None:
    """A time point in days, or ``None`` where it is not known.

    >>> days(2, "wk"), days(1, "y") == days(12, "mo")
    (14.0, True)
    """
    return None if time is None or unit is None else time * DAYS[unit]


def timepoint_of(row: Any) -> str | None:
    """The time point of a result or contrast in words: as the report puts it, else its number and unit.

    >>> from types import SimpleNamespace
    >>> timepoint_of(SimpleNamespace(timepoint=None, time=30.0, time_unit="d"))
    '30 days'
    """
    if row.timepoint or row.time is None or row.time_unit is None:
        return str(row.timepoint) if row.timepoint else None
    return f"{row.time:g} {UNITS_IN_WORDS[row.time_unit]}{'' if row.time == 1 else 's'}"


def window_of(row: Any, windows: Iterable[Window]) -> str | None:
    """The window of a result or contrast: the one it names, else the one its time point falls in."""
    if row.window is not None:
        return str(row.window)
    at = days(row.time, row.time_unit)
    return None if at is None else next((w.id for w in windows if w.holds(at)), None)


def analysis_rows(
    package: Package, spec: AnalysisSpec, changes: Changes | None = None
) -> tuple[tuple[EffectRow, ...], tuple[tuple[str, str], ...]]:
    """The rows of an analysis, one a study, and ``(study, why)`` for every eligible study that gives none."""
    changes = changes or Changes()
    outcome, comparison = package.meta.outcome(spec.outcome), package.meta.comparison(spec.comparison)
    also = {study: other or spec.outcome for study, _, other in (a.partition(":") for a in changes.added)}
    assumed = {a[0]: a for a in map(read_assumption, changes.assumed) if a is not None}
    found = _Found()
    for study in package.studies:
        eligible = study.scope in spec.scopes and (not spec.studies or study.study in spec.studies)
        if study.study in changes.without:
            found.left_out.append((study.study, "left out in this sensitivity analysis"))
        elif study.study in assumed:
            found.rows.append(_assumed_row(study, assumed[study.study]))
        elif study.study in also or (eligible and study.design in spec.designs):
            wanted = package.meta.outcome(also.get(study.study, spec.outcome))
            _add(found, package, spec, study, wanted, comparison, outcome, changes)
        elif eligible:
            found.left_out.append((study.study, f"design: {study.design}"))
    return tuple(found.rows), tuple(found.left_out)


def _add(
    found: _Found,
    package: Package,
    spec: AnalysisSpec,
    study: Study,
    wanted: Outcome,
    comparison: Comparison,
    outcome: Outcome,
    changes: Changes,
) -> None:
    def leave(why: str) -> None:
        found.left_out.append((study.study, why))

    if not study.verified:
        return leave("not verified against a source")
    here = [r for r in package.results_of(study.study) if r.outcome == wanted.id and _in_window(package, spec, r)]
    if spec.results:
        here = [r for r in here if r.result in spec.results] if here else here
        if not here:
            return None  # the analysis names its rows; a study without one was never meant
    usable = _of_all_periods([r for r in here if r.usable and r.verified])
    roles = {a.arm: a.role for a in package.arms if a.study == study.study}
    by_time: dict[tuple[float, str], list[Result]] = {}
    for r in usable:
        at = days(r.time, r.time_unit)
        by_time.setdefault((math.inf if at is None else at, r.timepoint or ""), []).append(r)
    chosen: tuple[Sequence[Result], Sequence[Result]] | None = None
    for key in sorted(by_time, reverse=spec.several == "last"):
        one = [r for r in by_time[key] if roles.get(r.arm) in comparison.roles_1]
        if spec.arms_1:
            one = [r for r in one if r.arm in spec.arms_1]
        two = [r for r in by_time[key] if roles.get(r.arm) in comparison.roles_2]
        if one and (two or not comparison.roles_2):
            chosen = one, two
            break
    if chosen is None:
        return leave(_why_none(package, spec, study, here))
    try:
        sides = [_side(package, study, rows, outcome, changes) for rows in chosen if rows]
    except InputError as error:
        return leave(str(error))
    missing = [s for s in sides if not s.values]
    if missing:
        return leave(missing[0].notes[0])
    correlation = _reported_correlation(package, sides) if _takes_correlation(study, spec) else None
    found.rows.append(_row(study, sides, correlation))
    return None


def _of_all_periods(rows: list[Result]) -> list[Result]:
    """One number an arm of a cross-over trial: that of all periods, else that of the first, which is as if parallel."""
    at: dict[tuple[float | None, str | None, str], list[Result]] = {}
    for r in rows:
        at.setdefault((days(r.time, r.time_unit), r.timepoint, r.arm), []).append(r)
    kept: list[Result] = []
    for same in at.values():
        whole = [r for r in same if r.period is None and r.sequence is None]
        kept += whole or [r for r in same if r.period != "second"]
    return kept


def _takes_correlation(study: Study, spec: AnalysisSpec) -> bool:
    return study.design == "cross-over" and spec.measure in CORRELATED_MEASURES and spec.method == "inverse-variance"


def _reported_correlation(package: Package, sides: Sequence[Side]) -> float | None:
    """The within-person correlation that ``contrasts.csv`` gives for the two arms at this time point, if any."""
    if len(sides) != 2 or any(len(s.results) != 1 for s in sides):
        return None
    one, two = sides[0].results[0], sides[1].results[0]
    for c in package.contrasts:
        same = (c.study, c.outcome, timepoint_of(c)) == (one.study, one.outcome, timepoint_of(one))
        if same and c.verified and c.r is not None and {c.arm_1, c.arm_2} == {one.arm, two.arm}:
            return c.r
    return None


def _in_window(package: Package, spec: AnalysisSpec, row: Any) -> bool:
    return not spec.windows or window_of(row, package.meta.windows) in spec.windows


def _why_none(package: Package, spec: AnalysisSpec, study: Study, here: Sequence[Result]) -> str:
    """Why a study gives no row, in words a reader can act on."""
    for r in here:
        if not r.verified:
            return "its numbers are not verified against a source"
    unusable = dict.fromkeys(r.why_not for r in here if not r.usable and r.why_not)
    if unusable:
        return "; ".join(unusable)
    if here and all(r.period == "second" for r in here):
        return "reports only the second period of a cross-over trial"
    if here:
        return "no number for the comparison group"
    outcome = package.meta.outcome(spec.outcome)
    between = [
        c.contrast
        for c in package.contrasts
        if (c.study, c.outcome) == (study.study, outcome.id) and c.estimate is not None and _in_window(package, spec, c)
    ]
    if between:
        return (
            f"reported as a difference between groups ({', '.join(between)}), and this analysis pools results of arms; "
            "an analysis that names it under contrasts pools it"
        )
    p_only = [
        f"{timepoint_of(c) or 'time point not stated'}: P {'= ' if c.p.relation == '=' else ''}{c.p}"
        for c in package.contrasts
        if c.study == study.study and c.outcome == outcome.id and c.p is not None and _in_window(package, spec, c)
    ]
    if p_only:
        return "p value only (" + "; ".join(p_only) + ")"
    related = dict.fromkeys(
        f"{'; '.join(x for x in (r.reported_as or package.meta.outcome(r.outcome).name, r.definition) if x)}"
        f"{' (' + r.why_not + ')' if r.why_not else ''}"
        for r in package.results_of(study.study)
        if r.outcome != outcome.id
        and package.meta.outcome(r.outcome).domain == outcome.domain
        and _in_window(package, spec, r)
    )
    if related:
        return "no number for this outcome; reports " + "; ".join(related)
    times = [r for r in package.results_of(study.study) if r.outcome == outcome.id]
    return "reported for other times only" if times else "no number for this outcome in what was read"


def numbers_used(package: Package, study: Study, result: Result) -> Side:
    """What an analysis of its outcome takes from one result, with every conversion on the way; no values = nothing."""
    return _side(package, study, [result], package.meta.outcome(result.outcome), Changes())


def group_of(package: Package, study: Study, rows: Sequence[Result], outcome: Outcome) -> Side:
    """What the results of one group give on the scale of its outcome: several arms combined; no values = nothing."""
    return _side(package, study, rows, outcome, Changes())


def whole_periods(rows: list[Result]) -> list[Result]:
    """The results of arms that count in a cross-over trial: of all periods, else of the first."""
    return _of_all_periods(rows)


def _side(package: Package, study: Study, rows: Sequence[Result], outcome: Outcome, changes: Changes) -> Side:
    """One group: each arm's numbers on the scale of the outcome, then the arms combined."""
    read = _count if outcome.kind == "binary" else _mean
    parts = [_for_clusters(study, read(package, r, outcome, changes)) for r in rows]
    bad = [p for p in parts if not p.values]
    if bad:
        return bad[0]
    if len(parts) == 1:
        return parts[0]
    names = [r.arm for r in rows]
    if outcome.kind == "binary":
        together = convert.combine_events(events=[p.values["events"] for p in parts], n=[p.values["n"] for p in parts])
    else:
        together = convert.combine_means(**{k: [p.values[k] for p in parts] for k in ("n", "mean", "sd")})
    values = {name: float(together.values[name]) for name in parts[0].values}
    steps = (*(s for p in parts for s in p.steps), *conversion_steps(together, ", ".join(r.result for r in rows)))
    notes = (f"arms combined: {', '.join(names)}", *(n for p in parts for n in p.notes))
    return Side(values, tuple(rows), steps, notes)


def _for_clusters(study: Study, side: Side) -> Side:
    """A group of a cluster trial at its effective size; as it stands where the report allowed for the clusters."""
    row = side.results[0]
    if not side.values or row.cluster_adjusted or (study.design != "cluster" and row.icc is None):
        return side
    if row.icc is None or row.cluster_size is None:
        return Side(side.values, side.results, side.steps, (*side.notes, NO_ICC))
    options = {name: side.values[name] for name in ("n", "events") if name in side.values}
    found = convert.effective_sample_size(icc=row.icc, cluster_size=row.cluster_size, **options)
    values = dict(side.values) | {name: float(found.values[name]) for name in options}
    note = f"{row.arm}: {side.values['n']:g} participants in clusters count as {values['n']:.4g}"
    return Side(values, side.results, (*side.steps, *conversion_steps(found, row.result)), (*side.notes, note))


def _count(package: Package, row: Result, outcome: Outcome, changes: Changes) -> Side:
    if row.events is None or row.n is None:
        return Side({}, (row,), notes=("no count",))
    notes = () if row.how_read in (None, "", "reported") else (f"{row.arm}: {row.how_read}",)
    return Side({"events": float(row.events), "n": float(row.n)}, (row,), notes=notes)


def _mean(package: Package, row: Result, outcome: Outcome, changes: Changes) -> Side:
    """Mean and SD of one arm on the outcome's scale: read, converted, moved to the scale."""
    steps: list[Step] = []
    notes: list[str] = []
    if row.n is None:
        return Side({}, (row,), notes=("number of participants not reported",))
    spread_is = changes.spread or row.spread_is
    sd: Any = row.sd
    mean: Any = row.mean
    se = row.se
    if row.spread is not None:
        notes.append(f"{row.arm}: printed {row.spread_text or row.spread} read as {spread_is!r}")
        sd, se = (row.spread, None) if spread_is == "sd" else (None, row.spread)
    if mean is not None and sd is None and se is not None:
        sd = convert.sd_from_se(se=se, n=row.n)
    elif mean is not None and sd is None and row.ci_low is not None:
        sd = convert.sd_from_ci(low=row.ci_low, high=row.ci_high, n=row.n, level=row.level or 0.95)
    elif (
        mean is not None
        and sd is None
        and _is_change(row)
        and None not in (row.baseline_sd, row.final_sd, row.baseline_r)
    ):
        sd = convert.change_sd(sd_baseline=row.baseline_sd, sd_final=row.final_sd, r=row.baseline_r)
    elif mean is None and row.median is not None and row.q1 is not None and row.q3 is not None:
        both = convert.mean_sd_from_quantiles(q1=row.q1, median=row.median, q3=row.q3, n=row.n)
        steps += conversion_steps(both, row.result)
        mean, sd = both.mean, both.sd
    if isinstance(sd, Converted):
        steps += conversion_steps(sd, row.result)
        sd = float(sd)
    if mean is None or sd is None:
        return Side({}, (row,), notes=("mean or standard deviation not reported",))
    if row.scale is None:
        return Side({}, (row,), notes=("scale not reported",))
    if _is_change(row):
        notes.append(f"{row.arm}: change from baseline")
    if row.value_is == "reduction":
        mean = -mean
    if row.scale != outcome.scale:
        here, there = package.meta.scale(row.scale), package.meta.scale(str(outcome.scale))
        moved = convert.rescale(
            **{"difference" if _is_change(row) else "mean": mean},
            sd=sd,
            from_scale=[here.low, here.high],
            to_scale=[there.low, there.high],
            flip=here.reversed != there.reversed,
        )
        steps += conversion_steps(moved, row.result)
        notes.append(f"{row.arm}: {here.name} moved to {there.low:g}-{there.high:g}")
        mean, sd = moved.values["difference" if _is_change(row) else "mean"], moved.sd
    return Side({"mean": float(mean), "sd": float(sd), "n": float(row.n)}, (row,), tuple(steps), tuple(notes))


def _is_change(row: Result) -> bool:
    return row.value_is in ("change", "reduction")


def conversion_steps(converted: Converted, result: str) -> list[Step]:
    """A conversion and those behind it as steps of the row ``result``."""
    return [
        Step(
            c.function.replace("_", " "),
            c.formula,
            MappingProxyType({k: _plain(v) for k, v in c.inputs.items() if v is not None}),
            MappingProxyType({k: _plain(v) for k, v in c.values.items()}),
            c.source,
            result,
        )
        for c in converted.walk()
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Converted):
        return float(value)
    return tuple(_plain(v) for v in value) if isinstance(value, (list, tuple)) else value


def _row(study: Study, sides: Sequence[Side], correlation: float | None = None) -> EffectRow:
    values: dict[str, float] = {}
    for i, side in enumerate(sides, start=1):
        values |= {(f"{k}_{i}" if len(sides) > 1 else k): v for k, v in side.values.items()}
    results = [r for s in sides for r in s.results]
    notes = list(dict.fromkeys(n for s in sides for n in s.notes))
    notes += list(dict.fromkeys(r.notes for r in results if r.notes))
    design = study.design
    if design == "cross-over" and results and all(r.period == "first" for r in results):
        design, correlation = "parallel", None
        notes.append(FIRST_PERIOD)
    elif design == "cross-over" and len(sides) > 1:
        paired = "cross-over trial with the within-person correlation {:g} that it reports"
        notes.append(AS_IF_PARALLEL if correlation is None else paired.format(correlation))
    return EffectRow(
        study=study.study,
        label=study.label,
        values=MappingProxyType(values),
        results=tuple(r.result for r in results),
        rows=tuple(r.row for r in results),
        steps=tuple(st for s in sides for st in s.steps),
        sources=tuple(dict.fromkeys(r.source for r in results if r.source)),
        notes=tuple(dict.fromkeys(notes)),
        timepoint=timepoint_of(results[0]),
        design=design,
        correlation=correlation,
    )


def _assumed_row(study: Study, assumed: tuple[str, int, int, int, int]) -> EffectRow:
    _, a, n, c, m = assumed
    return EffectRow(
        study.study,
        study.label,
        MappingProxyType({"events_1": float(a), "n_1": float(n), "events_2": float(c), "n_2": float(m)}),
        (),
        (),
        (),
        (),
        (f"assumed for this analysis: {a}/{n} against {c}/{m}",),
        design=study.design,
    )


def effects_of(rows: Sequence[EffectRow], spec: AnalysisSpec, measure: str) -> EffectSizes:
    """The effect sizes of the rows; those of contrasts as they stand.

    Cross-over trials are as if parallel, except where they report their within-person correlation.
    """
    labels = [r.label for r in rows]
    if spec.contrasts:
        effect, se = (np.array([r.values[name] for r in rows]) for name in ("effect", "se"))
        return EffectSizes(effect=effect, variance=se * se, study=labels, measure=measure)
    columns: dict[str, Any] = {name: [r.values[name] for r in rows] for name in rows[0].values}
    zero: dict[str, Any] = (
        {"add": spec.add, "to": spec.to} if PLANNED_MEASURES[measure] == "binary" and measure in ("RR", "OR") else {}
    )
    if any(v != round(v) for r in rows for k, v in r.values.items() if k.startswith(("n_", "events_"))):
        zero["counts"] = "fractional"  # effective sizes of cluster trials
    found = effect_sizes(measure, study=labels, profile=spec.profile, **zero, **columns)
    found = with_everyone(found) if measure == "RR" and spec.profile in REVMAN_PROFILES else found
    if measure in CORRELATED_MEASURES and any(r.correlation is not None for r in rows):
        found, _ = at_correlation(rows, found, measure, None)
    return found


def at_correlation(
    rows: Sequence[EffectRow], effects: EffectSizes, measure: str, r: float | None
) -> tuple[EffectSizes, tuple[str, ...]]:
    """The same effects with the variance of every cross-over trial at within-person correlation ``r``, and notes.

    MD: ``(SD1² + SD2² - 2 r SD1 SD2) / n``. RR, OR, RD: ``v1 + v2 - 2 r sqrt(v1 v2)`` with the variance each period
    adds on the analysis scale: the marginal form of Becker & Balagtas (1993). Two binary periods cannot be correlated
    beyond what their counts allow (both responding in at most the smaller count); a trial beyond that stays at its
    limit. A trial that reports its own correlation keeps it; with ``r=None`` only these are changed.
    """
    variance = effects.variance.copy()
    notes: list[str] = []
    for i, row in enumerate(rows):
        own = r if row.correlation is None else row.correlation
        if row.design != "cross-over" or own is None:
            continue
        v = row.values
        if "mean_1" in v:
            if measure != "MD":
                raise InputError(f"a within-person correlation is applied to MD, RR, OR and RD; not to {measure}")
            se = convert.se_of_paired_difference(sd_1=v["sd_1"], sd_2=v["sd_2"], r=own, n=min(v["n_1"], v["n_2"]))
            variance[i] = float(se) ** 2
            continue
        v1, v2, limit = _period_variances(v, measure, effects.note[i])
        used = min(own, limit)
        if used < own:
            notes.append(f"{row.label}: at most {limit:.2f} with these counts")
        variance[i] = v1 + v2 - 2 * used * math.sqrt(v1 * v2)
    changed = EffectSizes(
        effects.effect,
        variance,
        effects.study,
        effects.measure,
        conventions=effects.conventions,
        explicit=effects.explicit,
        note=effects.note,
        estimable=effects.estimable,
        double_zero=effects.double_zero,
    )
    return changed, tuple(notes)


def _period_variances(v: Mapping[str, float], measure: str, note: str) -> tuple[float, float, float]:
    """What each period adds to the variance, and the largest correlation its counts allow."""
    added = 0.5 if "added" in note else 0.0
    a, n = v["events_1"] + added, v["n_1"] + 2 * added
    c, m = v["events_2"] + added, v["n_2"] + 2 * added
    p, q = a / n, c / m
    spread = math.sqrt(p * (1 - p) * q * (1 - q))
    limit = (min(p, q) - p * q) / spread if spread > 0 else 0.0
    if measure == "RR":
        return 1 / a - 1 / n, 1 / c - 1 / m, limit
    if measure == "OR":
        return 1 / a + 1 / (n - a), 1 / c + 1 / (m - c), limit
    if measure == "RD":
        return p * (1 - p) / n, q * (1 - q) / m, limit
    raise InputError(f"a within-person correlation is applied to MD, RR, OR and RD; not to {measure}")
