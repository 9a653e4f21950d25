"""Judgements that rest on what has changed since: marked, never silently kept and never dropped."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from balm.review.certainty.planned_network import NetworkCertainty, not_compared
from balm.review.certainty.rating import Certainty
from balm.review.living.recommendations import footing
from balm.review.living.tables import TableChange
from balm.review.networks.analysed import NetworkResult
from balm.review.package import Package


@dataclass(frozen=True, slots=True)
class Stale:
    """One judgement that is to be made again: what it is, of what, by whom and when, and what has changed under it."""

    what: str  # certainty, risk of bias, statement
    of: str
    who: str
    when: str
    why: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The certainty of an analysis or a comparison, by its title, now and then; ``then`` may not be known."""

    title: str
    now: Certainty | NetworkCertainty
    then: Certainty | NetworkCertainty | None = None


def stale_judgements(
    package: Package,
    rated: Iterable[Judged],
    before: Package | None = None,
    tables: Mapping[str, TableChange] = MappingProxyType({}),
    moved: Container[str] = frozenset(),
) -> tuple[Stale, ...]:
    """Certainty decided on other data, risk of bias judged before the numbers changed, statements whose claims changed.

    before : the state compared with, where it is known; ``tables`` is what changed in between, ``moved`` the analyses
             whose data did. A decision that kept no hash of its data is stale where the same row stood then and what
             it rests on differs.
    """
    found: list[Stale] = []
    stale: set[str] = set()
    for one in rated:
        now, then = one.now, one.then
        if now.stale and isinstance(now, Certainty):
            stale.add(now.analysis)
        if now.overall is None:
            continue
        differs = then is not None and then.overall == now.overall and then.basis != now.basis
        if now.stale or (now.overall.basis != now.basis and differs):
            why = "its data, its plan, its result or its risk-of-bias judgements have changed since it was decided"
            found.append(Stale("certainty", one.title, now.overall.assessor or "", now.overall.time or "", why))
    found += _bias(package, before, tables)
    found += _statements(package, tables, moved, stale)
    return tuple(found)


def no_longer_compared(package: Package, network: NetworkResult, found: Mapping[str, object]) -> Iterator[Stale]:
    """Decisions on comparisons that the network does not give any more; ``found``: those it gives, by their keys."""
    for row in not_compared(package, network.id, found):
        name = f"{network.title}: {row.treatment} against {row.against}"
        why = f"decided as {row.rating}; the network gives no estimate of it any more"
        yield Stale("certainty", name, row.assessor or "", row.time or "", why)


def _touched(tables: Mapping[str, TableChange], file: str) -> dict[tuple[str, ...], str]:
    """Key of a row of ``file`` -> what happened to it, the ``row`` itself apart."""
    change = tables.get(file)
    if change is None:
        return {}
    said = dict.fromkeys(change.added, "added") | dict.fromkeys(change.removed, "removed")
    return said | {c.key: "changed: " + ", ".join(column for column, _, _ in c.cells) for c in change.changed}


def _bias(package: Package, before: Package | None, tables: Mapping[str, TableChange]) -> list[Stale]:
    touched = _touched(tables, "results.csv")
    judged_anew = {key for key, what in _touched(tables, "risk_of_bias.csv").items() if what != "removed"}
    if not touched:
        return []
    outcomes: dict[tuple[str, str], list[str]] = {}
    rows = {r.result: r for p in (before, package) if p is not None for r in p.results}
    for r in rows.values():
        if what := touched.get((r.result,)):
            outcomes.setdefault((r.study, r.outcome or ""), []).append(f"{r.result} {what}")
    labels = {s.study: s.label for s in package.studies}
    found: dict[tuple[str, str, str], Stale] = {}
    for j in package.risk_of_bias:
        key = (j.study, j.result or "", j.tool, j.domain, j.assessor or "", j.outcome or "", j.window or "",
               j.comparison or "")  # fmt: skip
        if key in judged_anew:
            continue
        moved = [
            text
            for (study, outcome), texts in outcomes.items()
            if study == j.study and j.outcome in (None, outcome)
            for text in texts
            if j.result is None or text.startswith(f"{j.result} ")
        ]
        if moved:
            of = ", ".join(part for part in (labels.get(j.study, j.study), j.outcome or "", j.tool) if part)
            first = moved[0] + (f" and {len(moved) - 1} more" if len(moved) > 1 else "")
            one = Stale("risk of bias", of, j.assessor or "", j.time or "", f"results.csv, {first}")
            found.setdefault((j.study, j.outcome or "", j.tool), one)
    return list(found.values())


def _statements(
    package: Package, tables: Mapping[str, TableChange], moved_analyses: Container[str], stale: Collection[str]
) -> list[Stale]:
    """Those that rest on claims or analyses that have changed since, or on an earlier version of this review."""
    touched = _touched(tables, "claims.csv")
    anew = {key for key, what in _touched(tables, "guidance/*.toml").items() if what != "removed"}
    found = []
    for s in package.guidance:
        moved = [c for c in s.claims if touched.get((c,), "").startswith("changed")]
        whys = [f"claims.csv, {', '.join(moved)} changed"] if moved and (s.id,) not in anew else []
        other = [a for a in s.analyses if a in moved_analyses]
        if other and (s.id,) not in anew:
            whys.append(f"the data of {', '.join(other)} have changed")
        whys += [why] if (why := footing(package, s, stale).stale) else []
        for why in whys[:1]:
            found.append(Stale("statement", f"{s.guideline}: {s.topic}", s.checked_by or "", s.reviewed or "", why))
    return found
