"""What changed between two states of a review, from search hit to pooled effect, certainty and recommendation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

from balm.review.certainty.of_analysis import participants, used_rows
from balm.review.certainty.planned_network import NetworkCertainty, network_certainties
from balm.review.certainty.rating import Certainty, certainty_of
from balm.review.deduplication.decided import kept_records
from balm.review.flow_counts import screening_outcomes
from balm.review.living.moved import Move, moves
from balm.review.living.network_changed import NetworkChange, network_change
from balm.review.living.stale import Judged, Stale, no_longer_compared, stale_judgements
from balm.review.living.standing import CertaintyChange, Standing, crossing, known
from balm.review.living.tables import TableChange, table_changes
from balm.review.networks.analysed import NetworkResult
from balm.review.package import AnalysisSpec, NetworkSpec, Package
from balm.review.synthesis import AnalysisResult, EffectRow, Synthesis

#: What of an analysis in the plan is text for readers and no choice of method.
_WORDS = ("title", "note", "sensitivity")


@dataclass(frozen=True, slots=True)
class AnalysisChange:
    """One analysis then and now; ``None`` where it was not planned. Studies are ids.

    ``corrected``: studies that were in it and whose numbers differ. ``moves``: the new trials, the one that moves the
    estimate most first. ``plan``: choices of method that changed.
    """

    id: str
    title: str
    measure: str
    before: Standing | None
    after: Standing | None
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    plan: tuple[tuple[str, str, str], ...] = ()

    @property
    def same(self) -> bool:
        """Whether the analysis says what it said."""
        return self.before == self.after and not (self.new or self.gone or self.corrected or self.plan)

    @property
    def crossed(self) -> str:
        """How the interval's relation to no effect changed; empty where it did not or there is nothing to cross."""
        return crossing(self.measure, self.before, self.after)


@dataclass(frozen=True, slots=True)
class Screened:
    """Where the records stand at one moment: how many there are, and how those decided were decided."""

    records: int
    forward: int
    excluded: int
    conflict: int

    @property
    def waiting(self) -> int:
        """Records without a vote."""
        return self.records - self.forward - self.excluded - self.conflict


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that differs. ``frozen``: compared with a release; else with the studies a version had, as they are
    written today, so that what was judged then is not known."""

    since: str
    frozen: bool
    tables: Mapping[str, TableChange]
    screened: tuple[Screened, Screened]
    studies: tuple[tuple[str, str, str], ...]  # study, scope before ("" = not there), scope now
    analyses: tuple[AnalysisChange, ...]
    certainty: tuple[CertaintyChange, ...]
    stale: tuple[Stale, ...]
    method: tuple[str, ...]  # parts of review.toml that changed
    networks: tuple[NetworkChange, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs at all."""
        return (
            all(t.same for t in self.tables.values())
            and all(a.same for a in self.analyses)
            and all(c.same for c in self.certainty)
            and all(n.same for n in self.networks)
            and not self.method
        )


def changes_between(before: Synthesis, after: Synthesis, *, since: str, frozen: bool) -> Changes:
    """What differs between ``before`` and ``after``, both carried out whole."""
    one, two = before.package, after.package
    then, now = ({a.id: a for a in s.analyses} for s in (before, after))
    rated_then = {a.id: certainty_of(one, a) for a in before.analyses} if frozen else {}
    rated_now = {a.id: certainty_of(two, a) for a in after.analyses}
    tables = table_changes(one, two)
    nets_then, nets_now = ({n.id: n for n in s.networks} for s in (before, after))
    compared_then = {name: _compared(one, n) if frozen else {} for name, n in nets_then.items()}
    compared_now = {name: _compared(two, n) for name, n in nets_now.items()}
    return Changes(
        since=since,
        frozen=frozen,
        tables=tables,
        screened=(screened(one), screened(two)),
        studies=tuple(_scopes(one, two)),
        analyses=tuple(_analysis(then.get(name), now.get(name), frozen) for name in dict.fromkeys([*now, *then])),
        certainty=tuple(_certainty(rated_then.get(name), rated, frozen) for name, rated in rated_now.items()),
        stale=stale_judgements(
            two,
            [*_judged(after.analyses, rated_now, rated_then), *_judged_networks(nets_now, compared_now, compared_then)],
            *((one, tables, _moved(rated_now, rated_then)) if frozen else ()),
        )
        + tuple(stale for name, n in nets_now.items() for stale in no_longer_compared(two, n, compared_now[name])),
        method=tuple(_method(one, two)) if frozen else (),
        networks=tuple(
            network_change(
                nets_then.get(name),
                nets_now.get(name),
                compared_then.get(name, {}),
                compared_now.get(name, {}),
                tuple(_plan(nets_then[name].spec, nets_now[name].spec))
                if frozen and name in nets_then and name in nets_now
                else (),
            )
            for name in dict.fromkeys([*nets_now, *nets_then])
        ),
    )


def _compared(package: Package, network: NetworkResult) -> dict[str, NetworkCertainty]:
    return {c.key: c for c in network_certainties(package, network)}


def _judged(
    analyses: Iterable[AnalysisResult], now: Mapping[str, Certainty], then: Mapping[str, Certainty]
) -> Iterator[Judged]:
    return (Judged(a.title, now[a.id], then.get(a.id)) for a in analyses)


def _judged_networks(
    networks: Mapping[str, NetworkResult],
    now: Mapping[str, Mapping[str, NetworkCertainty]],
    then: Mapping[str, Mapping[str, NetworkCertainty]],
) -> Iterator[Judged]:
    for name, n in networks.items():
        for key, c in now[name].items():
            yield Judged(f"{n.title}: {c.name}", c, then.get(name, {}).get(key))


def _moved(now: Mapping[str, Certainty], then: Mapping[str, Certainty]) -> frozenset[str]:
    """The analyses that rest on other data than they did."""
    return frozenset(name for name, c in now.items() if name in then and then[name].basis != c.basis)


def standing_of(result: AnalysisResult) -> Standing:
    """What an analysis says, in the numbers that are compared from version to version."""
    fit = result.whole
    if fit is None:
        return Standing(0, 0.0, None, None, None, None)
    shown = fit.displayed
    numbers = (shown.estimate, shown.interval.low, shown.interval.high, fit.p)
    return Standing(fit.k, participants(used_rows(result)), *map(known, numbers))


def screened(package: Package) -> Screened:
    """The records of a package, one a report, and where they stand at title and abstract."""
    kept = kept_records((r.record for r in package.records), package.duplicates)
    votes = (replace(v, record=kept.get(v.record, v.record)) for v in package.screening if v.stage == "title-abstract")
    outcomes = list(screening_outcomes(votes).values())
    counts = (outcomes.count(what) for what in ("include", "exclude", "conflict"))
    return Screened(len(set(kept.values())), *counts)


def _analysis(then: AnalysisResult | None, now: AnalysisResult | None, frozen: bool) -> AnalysisChange:
    shown = now or then
    assert shown is not None
    was, is_now = (None if a is None else standing_of(a) for a in (then, now))
    if then is None or now is None:
        return AnalysisChange(shown.id, shown.title, shown.measure, was, is_now)
    had, has = ({row.study: row for row in a.rows} for a in (then, now))
    new = tuple(s for s in has if s not in had)
    return AnalysisChange(
        now.id,
        now.title,
        now.measure,
        was,
        is_now,
        new,
        tuple(s for s in had if s not in has),
        tuple(s for s in has if s in had and _numbers(had[s]) != _numbers(has[s])),
        moves(now, set(new)),
        tuple(_plan(then.spec, now.spec)) if frozen else (),
    )


def _numbers(row: EffectRow) -> tuple[object, ...]:
    return (tuple(sorted(row.values.items())), row.correlation, row.design)


def _plan(one: AnalysisSpec | NetworkSpec, two: AnalysisSpec | NetworkSpec) -> list[tuple[str, str, str]]:
    found = []
    for f in fields(two):
        was, now = getattr(one, f.name), getattr(two, f.name)
        if f.name not in _WORDS and was != now:
            found.append((f.name, _said(was), _said(now)))
    return found


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(getattr(v, "name", v)) for v in value) or "none"
    return "none" if value is None else str(value)


def _certainty(then: Certainty | None, now: Certainty, frozen: bool) -> CertaintyChange:
    was = then if frozen else None
    return CertaintyChange(
        now.analysis,
        was.certainty if was else None,
        now.certainty,
        was.proposed.certainty if was else None,
        now.proposed.certainty,
    )


def _scopes(one: Package, two: Package) -> list[tuple[str, str, str]]:
    was, now = ({s.study: s.scope for s in p.studies} for p in (one, two))
    both = dict.fromkeys([*now, *was])
    return [(s, was.get(s, ""), now.get(s, "")) for s in both if was.get(s, "") != now.get(s, "")]


def _method(one: Package, two: Package) -> list[str]:
    parts = ("question", "eligibility", "outcomes", "comparisons", "windows", "scales", "screening", "extraction")
    return [name for name in parts if getattr(one.meta, name) != getattr(two.meta, name)]
