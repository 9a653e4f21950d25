"""The synthesis of a review package: every planned analysis, each number tied to its rows and its conversions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from balm.review.claims import CheckedClaim, CheckedPublished, check_claims, check_published
from balm.review.contrast_rows import contrast_rows
from balm.review.contrasts import Changes, EffectRow, Step, analysis_rows, at_correlation, effects_of
from balm.review.networks.analysed import NetworkPart, NetworkResult, analyse_network
from balm.review.package import AnalysisSpec, Comparison, Outcome, Package, SensitivitySpec, Window
from balm.review.revman.pooling import REVMAN_PROFILES, pool_as_revman
from balm.review.risk_of_bias.of_analysis import at_risk, judgements_for
from balm.review.schema import STATEMENT, TABLES
from balm.stats import convert
from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.subgroups import between
from balm.stats.profiles import PROFILES
from balm.vocabulary.evidence import Gap
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError

__all__ = [
    "Absolute",
    "AnalysisResult",
    "CheckedClaim",
    "CheckedPublished",
    "EffectRow",
    "NetworkPart",
    "NetworkResult",
    "NotVerified",
    "Sensitivity",
    "Single",
    "Step",
    "Subgroup",
    "Synthesis",
    "synthesise",
]

#: Why an analysis with ``overall = false`` has no total.
NO_OVERALL = "The plan asks for no total of all studies."
#: Absolute effects are counted in this many people.
PER = 1000


@dataclass(frozen=True, slots=True)
class Single:
    """The one-trial case: the trial's own effect, shown instead of a pooled one."""

    row: EffectRow
    estimate: float  # displayed scale
    interval: Interval  # displayed scale
    p: float
    why_not_pooled: str


@dataclass(frozen=True, slots=True)
class Absolute:
    """Absolute effects, a count in ``per`` people, from a relative effect and a baseline risk with its source."""

    per: int
    baseline_risk: float
    baseline_source: str
    control: float
    intervention: float
    intervention_interval: Interval
    difference: float
    difference_interval: Interval
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """One analysis repeated with one thing changed; ``fit`` is ``None`` when nothing could be pooled (see ``note``)."""

    label: str
    changed: str
    fit: Pooled | None
    note: str = ""
    rows: tuple[EffectRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One level of a subgroup analysis."""

    level: str
    fit: Pooled | None
    rows: tuple[EffectRow, ...]
    note: str = ""


@dataclass(frozen=True)
class AnalysisResult:
    """A planned analysis carried out.

    ``fit`` is ``None`` when fewer than two trials contribute: then ``single`` holds the one trial, or nothing, and
    ``why_not_pooled`` says which. ``not_pooled`` lists every eligible study that could not contribute, and why.
    """

    id: str
    title: str
    spec: AnalysisSpec
    outcome: Outcome
    windows: tuple[Window, ...]
    comparison: Comparison
    measure: str
    fit: Pooled | None
    effects: EffectSizes | None
    rows: tuple[EffectRow, ...]
    single: Single | None = None
    why_not_pooled: str | None = None
    not_pooled: tuple[tuple[str, str], ...] = ()  # (study id, why)
    absolute: Absolute | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    subgroup_test: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    whole: Pooled | None = None  # the studies pooled, whether or not the plan asks for their total


@dataclass(frozen=True, slots=True)
class NotVerified:
    """A row that was not checked against a source: shown greyed, never pooled, never cited."""

    file: str
    row: int
    id: str
    what: str


@dataclass(frozen=True)
class Synthesis:
    """Everything computed from a package."""

    package: Package
    analyses: tuple[AnalysisResult, ...]
    published: tuple[CheckedPublished, ...]
    claims: tuple[CheckedClaim, ...]
    gaps: tuple[Gap, ...]
    not_verified: tuple[NotVerified, ...]
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    networks: tuple[NetworkResult, ...] = ()

    @property
    def pooled_studies(self) -> set[str]:
        """The studies in any pooled analysis or network: those that a flow diagram counts in meta-analyses."""
        found = {row.study for a in self.analyses if a.fit is not None for row in a.rows}
        parts = (part for n in self.networks for part in n.parts if part.fit is not None)
        return found | {study.study for part in parts for study in part.studies}

    def network(self, network: str) -> NetworkResult:
        """The network with this id."""
        return next(n for n in self.networks if n.id == network)

    def analysis(self, analysis: str) -> AnalysisResult:
        """The analysis with this id."""
        return next(a for a in self.analyses if a.id == analysis)


def synthesise(package: Package) -> Synthesis:
    """Carry out every analysis that ``review.toml`` plans, and check what others published and claimed.

    Only rows marked verified and usable are pooled. Where one trial is all there is, its own effect is given and
    nothing is pooled.
    """
    return Synthesis(
        package=package,
        analyses=tuple(analyse(package, spec) for spec in package.meta.analyses),
        published=check_published(package),
        claims=check_claims(package),
        gaps=tuple(sorted(package.gaps, key=lambda g: g.priority)),
        not_verified=tuple(_not_verified(package)),
        settings=MappingProxyType({"level": 0.95, "per": PER}),
        networks=tuple(analyse_network(package, spec) for spec in package.meta.networks),
    )


def analyse(package: Package, spec: AnalysisSpec) -> AnalysisResult:
    """One planned analysis with its sensitivity analyses, subgroups and absolute effects."""
    meta = package.meta
    rows, left_out = rows_of(package, spec)
    effects = effects_of(rows, spec, spec.measure) if rows else None
    whole = fit_of(effects, spec) if effects is not None else None
    fit = whole if spec.overall else None
    result = AnalysisResult(
        id=spec.id,
        title=spec.title,
        spec=spec,
        outcome=meta.outcome(spec.outcome),
        windows=tuple(meta.window(w) for w in spec.windows),
        comparison=meta.comparison(spec.comparison),
        measure=spec.measure,
        fit=fit if fit is not None and fit.k > 1 else None,
        effects=effects,
        rows=rows,
        single=_single(rows, effects, fit),
        why_not_pooled=_why_not_pooled(rows, fit) if spec.overall else NO_OVERALL,
        not_pooled=left_out,
        absolute=_absolute(rows, fit) if spec.absolute else None,
        sensitivity=tuple(s for one in spec.sensitivity for s in _sensitivities(package, spec, one, rows)),
        notes=tuple(n for n in (spec.note,) if n),
        whole=whole,
    )
    if effects is None or not (spec.by or spec.subgroups):
        return result
    subgroups, test = _subgroups(package, spec, rows, effects)
    return replace(result, subgroups=subgroups, subgroup_test=test)


def rows_of(
    package: Package, spec: AnalysisSpec, changes: Changes | None = None
) -> tuple[tuple[EffectRow, ...], tuple[tuple[str, str], ...]]:
    """The rows of an analysis, of its arms or its contrasts, and the studies that give none with the reason."""
    if spec.contrasts:
        return contrast_rows(package, spec, changes or Changes())
    return analysis_rows(package, spec, changes)


def fit_of(effects: EffectSizes, spec: AnalysisSpec) -> Pooled | None:
    """The effects pooled as the plan says, or ``None`` when none of them carries information."""
    if not bool((effects.estimable & ~effects.double_zero).any()):
        return None
    chosen: dict[str, Any] = {"profile": spec.profile, "level": spec.level}
    if spec.profile in REVMAN_PROFILES:
        random = {"tau2": spec.tau2, "inference": spec.inference, "prediction": PROFILES[spec.profile]["prediction"]}
        return pool_as_revman(effects, method=spec.method, model=spec.model, **random, **chosen)
    if spec.method == "mantel-haenszel":
        return mantel_haenszel(effects, model=spec.model, **chosen)
    if spec.method == "peto":
        return peto(effects, model=spec.model, **chosen)
    if spec.model == "common":
        return pool(effects, model="common", **chosen)
    return pool(effects, model="random", tau2=spec.tau2, inference=spec.inference, **chosen)


def _single(rows: Sequence[EffectRow], effects: EffectSizes | None, fit: Pooled | None) -> Single | None:
    if effects is None or fit is None or fit.k != 1:
        return None
    row = next(r for r in rows if r.label == fit.effects.study[0])
    shown = fit.displayed
    return Single(row, shown.estimate, shown.interval, fit.p, _one_trial(row))


def _one_trial(row: EffectRow) -> str:
    at = f" at {row.timepoint}" if row.timepoint else ""
    return f"One study contributes ({row.label}{at}): its own effect is shown and nothing is pooled."


def _why_not_pooled(rows: Sequence[EffectRow], fit: Pooled | None) -> str | None:
    if not rows:
        return "No study reports numbers that can be used for this outcome and time window; nothing is pooled."
    if fit is None:
        why = _no_information(rows)
        return f"No study carries information for this measure{f' ({why})' if why else ''}; nothing is pooled."
    return _one_trial(next(r for r in rows if r.label == fit.effects.study[0])) if fit.k == 1 else None


def _no_information(rows: Sequence[EffectRow]) -> str:
    """What the counts of the studies have in common, as far as they say why no effect can be told."""
    cells = [(r.values.get(f"events_{g}"), r.values.get(f"n_{g}")) for r in rows for g in (1, 2)]
    if any(events is None or n is None for events, n in cells):
        return ""
    none, all_ = any(events == 0 for events, _ in cells), any(events == n for events, n in cells)
    if none and all_:
        return "in each study no events, or events in everyone, in both groups"
    return "no events in either group" if none else "events in everyone in both groups" if all_ else ""


def _absolute(rows: Sequence[EffectRow], fit: Pooled | None) -> Absolute | None:
    """Absolute effects at the risk of the control groups pooled; ``None`` where a ratio cannot give them."""
    if fit is None or math.isnan(fit.estimate):
        return None
    used = [r for r in rows if r.label in fit.effects.study]
    events, people = sum(r.values["events_2"] for r in used), sum(r.values["n_2"] for r in used)
    baseline = events / people
    if baseline == 0 and fit.measure != "RD":
        return None
    shown = fit.displayed
    estimate, low, high = shown.estimate, shown.interval.low, shown.interval.high
    try:
        if fit.measure == "RR":
            found = convert.absolute_risk_from_risk_ratio(
                risk_ratio=estimate, baseline_risk=baseline, low=low, high=high
            )
        elif fit.measure == "RD":
            found = convert.absolute_risk_from_risk_difference(
                risk_difference=estimate, baseline_risk=baseline, low=low, high=high
            )
        else:
            found = convert.absolute_risk_from_odds_ratio(
                odds_ratio=estimate, baseline_risk=baseline, low=low, high=high
            )
    except InputError:
        return None
    v = found.values
    trials = ", ".join(r.label for r in used)
    return Absolute(
        per=PER,
        baseline_risk=baseline,
        baseline_source=f"control groups of the trials used ({trials}): {events:g} of {people:g}",
        control=PER * baseline,
        intervention=PER * float(v["risk"]),
        intervention_interval=Interval(PER * float(v["risk_low"]), PER * float(v["risk_high"]), shown.interval.level),
        difference=float(v["per_1000"]),
        difference_interval=Interval(float(v["per_1000_low"]), float(v["per_1000_high"]), shown.interval.level),
        note=" ".join(f"{said[:1].upper()}{said[1:]}." for said in found.cautions),
    )


def _subgroups(
    package: Package, spec: AnalysisSpec, rows: Sequence[EffectRow], effects: EffectSizes
) -> tuple[tuple[Subgroup, ...], Mapping[str, float]]:
    """Each level pooled on its own, and the test of no difference between the levels (Borenstein et al. 2009, 19)."""
    parts: list[tuple[str, tuple[EffectRow, ...], EffectSizes | None]] = []
    if spec.subgroups:
        for s in spec.subgroups:
            own, _ = rows_of(package, replace(spec, results=s.results, contrasts=s.contrasts))
            parts.append((s.name, own, effects_of(own, spec, spec.measure) if own else None))
    else:
        levels: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            level = getattr(package.study(row.study), str(spec.by)) or "not reported"
            levels.setdefault(str(level), []).append(i)
        parts = [(level, tuple(rows[i] for i in where), effects[where]) for level, where in levels.items()]
    groups = []
    for level, own, its in parts:
        fit = fit_of(its, spec) if its is not None else None
        note = "one study: its own effect" if fit is not None and fit.k == 1 else "" if fit else "not estimable"
        groups.append(Subgroup(level, fit, own, note))
    q, df = between([g.fit for g in groups if g.fit is not None])
    if df == 0:
        return tuple(groups), MappingProxyType({})
    return tuple(groups), MappingProxyType({"q": q, "df": float(df), "p": float(chi2_sf(q, df))})


# ---- sensitivity analyses: one row of the table a kind; each gives one result a value


def _sensitivities(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    also = {k: v for k, v in (("tau2", plan.tau2), ("inference", plan.inference)) if v is not None}
    try:
        for one in _KINDS[plan.vary](package, replace(spec, **also), plan, base):  # type: ignore[arg-type]
            yield replace(one, changed=", ".join((one.changed, *also.values()))) if also else one
    except InputError as error:
        yield Sensitivity(plan.label, plan.vary, None, str(error))


def _refit(
    package: Package, spec: AnalysisSpec, changes: Changes, label: str, changed: str, note: str = ""
) -> Sensitivity:
    rows, _ = rows_of(package, spec, changes)
    fit = fit_of(effects_of(rows, spec, spec.measure), spec) if rows else None
    more = "no study is left" if not rows else "not estimable" if fit is None else ""
    if fit is not None and fit.k == 1:
        more = f"one study ({fit.effects.study[0]}): its own effect"
    return Sensitivity(label, changed, fit, "; ".join(n for n in (note, more) if n), rows)


def _with_option(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    """Another option of the model, on the same rows."""
    for value in plan.values:
        other = replace(spec, **{plan.vary: value})
        if plan.vary == "method" and value != "inverse-variance":
            other = replace(other, model="common")
        measure = value if plan.vary == "measure" else spec.measure
        if not base:
            yield Sensitivity(plan.label, f"{value}", None, "no study contributes")
            continue
        fit = fit_of(effects_of(base, other, measure), other)
        note = "one study: its own effect, whatever the option" if fit is not None and fit.k == 1 else ""
        yield Sensitivity(plan.label, f"{value}", fit, note, tuple(base))


def _with_spread(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    names = {"sd": "read as standard deviation", "se": "read as standard error"}
    for value in plan.values:
        yield _refit(package, spec, Changes(spread=value), plan.label, names[value])


def _without(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    labels = [package.study(s).label for s in plan.values]
    contributed = [package.study(s).label for s in plan.values if s in {r.study for r in base}]
    note = ""
    if not contributed:
        note = f"{' and '.join(labels)} contributes nothing to this analysis, so nothing changes"
    changes = Changes(without=tuple(plan.values))
    yield _refit(package, spec, changes, plan.label, f"without {', '.join(labels)}", note)


def _without_bias(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    """Without the studies whose risk of bias is judged so; those that nobody has judged stay, and are named."""
    here = {r.study: r.label for r in base}
    out = [study for study in at_risk(package, spec, plan.values) if study in here]
    judged = judgements_for(package, spec)
    open_ = [label for study, label in here.items() if study not in judged]
    note = f"not assessed, so they stay: {', '.join(open_)}" if open_ else ""
    words = " or ".join(plan.values)
    if not out:
        note = "; ".join(n for n in (f"no study of this analysis is judged {words}, so nothing changes", note) if n)
    label = f"without {', '.join(here[s] for s in out)} ({words})" if out else f"without {words} risk of bias"
    yield _refit(package, spec, Changes(without=tuple(out)), plan.label, label, note)


def _with_added(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    labels = [package.study(s.partition(":")[0]).label for s in plan.values]
    yield _refit(package, spec, Changes(added=tuple(plan.values)), plan.label, f"with {', '.join(labels)}")


def _with_assumed(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    note = f"assumed, not reported: {'; '.join(plan.values)}"
    yield _refit(package, spec, Changes(assumed=tuple(plan.values)), plan.label, "assumed counts added", note)


def _with_correlation(
    package: Package, spec: AnalysisSpec, plan: SensitivitySpec, base: Sequence[EffectRow]
) -> Iterator[Sensitivity]:
    """Each within-person correlation in turn; a cross-over trial whose counts allow less stays at its limit."""
    if not any(r.design == "cross-over" for r in base):
        yield Sensitivity(plan.label, "r", None, "no cross-over trial contributes, so nothing changes")
        return
    effects = effects_of(base, spec, spec.measure)
    for r in plan.values:
        changed, limits = at_correlation(base, effects, spec.measure, float(r))
        fit = fit_of(changed, spec)
        note = "; ".join(limits)
        if fit is not None and fit.k == 1:
            note = "; ".join(n for n in (note, "one study: its own effect") if n)
        yield Sensitivity(plan.label, f"r = {r:g}", fit, note, tuple(base))


_Kind = Callable[[Package, AnalysisSpec, SensitivitySpec, Sequence[EffectRow]], Iterator[Sensitivity]]
_KINDS: Mapping[str, _Kind] = {
    "tau2": _with_option,
    "inference": _with_option,
    "method": _with_option,
    "measure": _with_option,
    "spread": _with_spread,
    "without": _without,
    "risk-of-bias": _without_bias,
    "with": _with_added,
    "assume": _with_assumed,
    "correlation": _with_correlation,
}


def _not_verified(package: Package) -> Iterator[NotVerified]:
    """Every row that was not checked against a source; a field without a value is missing, not unverified."""
    for table in (*TABLES, STATEMENT):
        if all(c.name != "verified" for c in table.columns):
            continue
        for row in getattr(package, table.attribute):
            if row.verified or (table.attribute == "cohorts" and row.value is None):
                continue
            file = getattr(row, "file", "") or table.file
            key = " ".join(str(getattr(row, k)) for k in table.key if getattr(row, k))
            yield NotVerified(file, row.row, key, _what(row))


def _what(row: Any) -> str:
    for name in ("statement", "text", "fact", "scope_note", "citation", "reported_as", "label"):
        value = getattr(row, name, None)
        if value:
            return str(value)
    return ""
