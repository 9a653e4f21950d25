"""Versions of a review in words and as plain values: the history, how a result grew, what changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from balm.report.network_change_words import network_change_plain, network_lines
from balm.report.result_sentence import measure_name
from balm.report.standing_words import certainty_words, moved_words, standing_text
from balm.review.living.changed import AnalysisChange, Changes
from balm.review.living.grown import Grown
from balm.review.living.history import (
    IN_REVIEW,
    MILESTONE,
    labels_of,
    studies_as_of,
    study_versions,
    timeline,
)
from balm.review.living.standing import Standing, known
from balm.review.living.update import update_of
from balm.review.package import Package
from balm.stats.measures import MEASURES
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.numbers import plain

#: The part that lists rows and cells.
ROWS = "Rows of the tables"
#: Tables of judgements and statements, with what a row of them is called.
_JUDGED = {
    "risk_of_bias.csv": "risk-of-bias judgements",
    "certainty.csv": "certainty decisions",
    "network_certainty.csv": "certainty decisions on networks",
}


def history_text(package: Package) -> str:
    """Every entry of ``versions.csv`` in the order of time: its dates, and the studies it had."""
    came = study_versions(package)
    lines: list[str] = []
    for at in timeline(package):
        here = studies_as_of(package, at)
        counted = [s for s in package.studies if s.study in here and s.scope in IN_REVIEW]
        kind = "milestone (studies published by its year)" if at.kind == MILESTONE else "version"
        lines.append(f"{at.version}  {at.label}: {kind}")
        lines.append(f"  {dates(at)}; studies of this review by then: {len(counted)}")
        if at.kind != MILESTONE:
            new = labels_of(package, (s.study for s in counted if came[s.study] == at.version))
            lines.append(f"  came with it ({len(new)}): {', '.join(new) or 'none'}")
            if package.records:
                u = update_of(package, at)
                lines.append(
                    f"  its searches: {u.found} records, {u.known} of reports found before, {u.copies} more copies, "
                    f"{len(u.new)} new; {len(u.to_screen)} to screen"
                )
        lines += [f"  {name}: {text}" for name, text in (("trigger", at.trigger), ("methods", at.changes)) if text]
        if at.notes:
            lines.append(f"  note: {at.notes}")
    return "\n".join(lines) or "versions.csv holds no version yet."


def dates(at: ReviewVersion) -> str:
    """The dates of an entry in words; one that is not known is said to be so.

    >>> dates(ReviewVersion("1", "version", "First", "2026-11-22", None))
    'dated 2026-11-22; date of the last search not reported'
    """
    return (
        f"dated {at.date or 'not reported'}; "
        f"{f'last search {at.searched}' if at.searched else 'date of the last search not reported'}"
    )


def grown_text(
    steps: Sequence[Grown], package: Package, released: Mapping[str, Standing] = MappingProxyType({})
) -> str:
    """One line an entry: what the analysis says with the studies of that time, and which were new; of a version that
    was ``released``, what it said then, where that is something else."""
    if not steps:
        return "versions.csv holds no version yet."
    first = steps[0].result
    lines = [
        f"{first.title} [{first.id}]: {measure_name(first.measure) if first.measure in MEASURES else ''}".rstrip(": ")
    ]
    width = max(len(s.at.label) for s in steps)
    for s in steps:
        new = ", ".join(labels_of(package, s.new))
        when = s.at.searched or s.at.date or ""
        said = standing_text(s.standing, first.measure)
        lines.append(f"  {s.at.label:<{width}}  {when:<10}  {said}" + (f"; new: {new}" if new else ""))
        if then := as_released(s, released):
            lines.append(f"  {'':<{width}}  as it was released: {then}")
    lines.append("  Milestones hold this review's studies published by their year, not what was pooled there.")
    return "\n".join(lines)


def as_released(step: Grown, released: Mapping[str, Standing]) -> str:
    """What a version said when it was released; empty where that is what its studies say today, or it was not."""
    then = released.get(step.at.version)
    if then is None:
        return ""
    said = standing_text(then, step.result.measure)
    return "" if said == standing_text(step.standing, step.result.measure) else said


def compared_with(changes: Changes) -> str:
    """What today is compared with."""
    return "the release" if changes.frozen else "the studies it had, as their rows are written today"


def changes_text(changes: Changes, package: Package) -> str:
    """What changed, from search to recommendation; parts in which nothing differs are left out."""
    how = compared_with(changes)
    if changes.same and not changes.stale:
        return f"Nothing has changed since {changes.since} (compared with {how})."
    said = [f"What changed since {changes.since} (compared with {how})"]
    for title, lines in changes_parts(changes, package):
        said += ["", title, *(f"  {line}" for line in lines)]
    return "\n".join(said)


def changes_parts(changes: Changes, package: Package) -> list[tuple[str, list[str]]]:
    """``(heading, lines)`` for each part in which something differs; a line that begins with blanks belongs to the one
    above it."""
    parts = [
        ("Search and screening", _search(changes)),
        ("Studies", _studies(changes, package)),
        (ROWS, _rows(changes) if changes.frozen else []),
        ("Results", [line for a in changes.analyses if not a.same for line in analysis_lines(a, package)]),
        ("Networks", [line for n in changes.networks if not n.same for line in network_lines(n, package)]),
        ("Certainty", _certainty(changes)),
        ("Statements of guidance", _statements(changes)),
        ("Methods", [f"changed in review.toml: {', '.join(changes.method)}"] if changes.method else []),
        ("To judge again (stale)", stale_lines(changes)),
    ]
    return [(title, lines) for title, lines in parts if lines]


def grouped(lines: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The lines of a part with those that belong to each; what belongs to one of these in turn is put into its line.

    >>> grouped(["Pain [p]", "  now: 3 studies", "  A against B:", "    then: 1", "    now: 2"])
    [('Pain [p]', ['now: 3 studies', 'A against B: then: 1; now: 2'])]
    """
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        text, depth = " ".join(line.split()), len(line) - len(line.lstrip())
        inner = found[-1][1] if found else []
        if depth > 2 and inner:
            inner[-1] += (" " if inner[-1].endswith(":") else "; ") + text
        elif depth:
            inner.append(text)
        else:
            found.append((text, []))
    return found


def _search(c: Changes) -> list[str]:
    lines = []
    for file, what in (("searches.csv", "searches"), ("records.csv", "records")):
        t = c.tables[file]
        if not t.same:
            lines.append(f"{what}: {t.before} then, {t.after} now ({_came(len(t.added), len(t.removed))})")
    was, now = c.screened
    if was != now:
        for name in ("forward", "excluded", "conflict", "waiting"):
            one, two = getattr(was, name), getattr(now, name)
            if one != two:
                label = {"forward": "kept for full text", "waiting": "not screened yet"}.get(name, name)
                lines.append(f"title and abstract, {label}: {one} then, {two} now")
    return lines


def _came(added: int, removed: int) -> str:
    return f"{added} new, {removed} gone" if removed else f"{added} new"


def _studies(c: Changes, package: Package) -> list[str]:
    names = {s.study: s.label for s in package.studies}
    lines = []
    for study, was, now in c.studies:
        label = names.get(study, study)
        if not was:
            lines.append(f"new: {label} ({now})")
        elif not now:
            lines.append(f"gone: {label} (was {was})")
        else:
            lines.append(f"{label}: {was} then, {now} now")
    new = {study for study, was, _ in c.studies if not was}
    reports = [r for key in c.tables["reports.csv"].added if (r := package.report(key[0])) is not None]
    for study in dict.fromkeys(s for r in reports for s in r.studies if s not in new):
        n = sum(study in r.studies for r in reports)
        lines.append(f"{names.get(study, study)}: {'one more report' if n == 1 else f'{n} more reports'}")
    return lines


def _rows(c: Changes) -> list[str]:
    lines = []
    for t in c.tables.values():
        if not t.same:
            lines.append(f"{t.file}: {_came(len(t.added), len(t.removed))}, {len(t.changed)} changed")
        for row in t.changed[:20]:
            cells = "; ".join(f"{column} {_cell(a)} → {_cell(b)}" for column, a, b in row.cells)
            lines.append(f"  {', '.join(k for k in row.key if k)}: {cells}")
        if len(t.changed) > 20:
            lines.append(f"  and {len(t.changed) - 20} more")
    return lines


def _cell(value: Any) -> str:
    if value is None or value == ():
        return "(empty)"
    text = "; ".join(value) if isinstance(value, tuple) else plain(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def analysis_lines(a: AnalysisChange, package: Package) -> list[str]:
    """One analysis then and now, its new trials and the one that moved it."""
    lines = [f"{a.title} [{a.id}]"]
    if a.before != a.after:
        lines.append(f"  then: {standing_text(a.before, a.measure)}")
        lines.append(f"  now:  {standing_text(a.after, a.measure)}" + (f"; {a.crossed}" if a.crossed else ""))
    else:
        lines.append(f"  {standing_text(a.after, a.measure)}, as before")
    for what, ids in (("new", a.new), ("gone", a.gone), ("numbers corrected", a.corrected)):
        if ids:
            lines.append(f"  {what}: {', '.join(labels_of(package, ids)) or ', '.join(ids)}")
    lines += [f"  {text}" for text in moved_words(a.moves, a.measure)]
    lines += [f"  plan: {name} {was} → {now}" for name, was, now in a.plan]
    return lines


def _certainty(c: Changes) -> list[str]:
    titles = {a.id: a.title for a in c.analyses}
    lines = [
        f"{titles.get(one.analysis, one.analysis)} [{one.analysis}]: {certainty_words(one)}"
        for one in c.certainty
        if not one.same
    ]
    lines += [
        f"{name}: {_came(len(t.added), len(t.removed))}, {len(t.changed)} changed"
        for file, name in _JUDGED.items()
        if c.frozen and not (t := c.tables[file]).same
    ]
    return lines


def _statements(c: Changes) -> list[str]:
    t = c.tables["guidance/*.toml"]
    said = [
        f"{what}: {', '.join(k[0] for k in keys)}" for what, keys in (("new", t.added), ("gone", t.removed)) if keys
    ]
    return said + [f"{row.key[0]}: {', '.join(column for column, _, _ in row.cells)} changed" for row in t.changed]


def stale_lines(changes: Changes) -> list[str]:
    """Each stale judgement in one line."""
    return [
        f"{s.what}, {s.of}"
        + (f" ({', '.join(p for p in (s.who, _minute(s.when)) if p)})" if s.who or s.when else "")
        + f": {s.why}"
        for s in changes.stale
    ]


def _minute(when: str) -> str:
    """A moment to the minute, as people read it; a day stays a day.

    >>> _minute("2026-11-23T12:10:59.423947+00:00"), _minute("2026-11-22"), _minute("spring 2026")
    ('2026-11-23 12:10', '2026-11-22', 'spring 2026')
    """
    day, _, time = when.partition("T")
    return f"{day} {time[:5]}" if len(day) == 10 and time[2:3] == ":" else when


# ---- for machines


def standing_plain(standing: Standing | None) -> dict[str, Any] | None:
    """A result as values; what is not there is ``None``."""
    if standing is None:
        return None
    names = ("k", "participants", "estimate", "low", "high", "p")
    return {name: getattr(standing, name) for name in names} | {"status": standing.status}


def history_plain(package: Package) -> list[dict[str, Any]]:
    """The history as values."""
    found = []
    for at in timeline(package):
        here = studies_as_of(package, at)
        found.append(
            {
                "version": at.version,
                "kind": at.kind,
                "label": at.label,
                "date": at.date,
                "searched": at.searched,
                "studies": [s.study for s in package.studies if s.study in here and s.scope in IN_REVIEW],
            }
        )
    return found


def grown_plain(steps: Iterable[Grown]) -> list[dict[str, Any]]:
    """How a result grew, as values."""
    return [
        {"version": s.at.version, "label": s.at.label, "new": list(s.new), **(standing_plain(s.standing) or {})}
        for s in steps
    ]


def changes_plain(c: Changes) -> dict[str, Any]:
    """Everything that changed, as values."""
    return {
        "since": c.since,
        "frozen": c.frozen,
        "tables": {
            t.file: {"before": t.before, "after": t.after, "added": len(t.added), "removed": len(t.removed),
                     "changed": len(t.changed)}
            for t in c.tables.values()
        },
        "studies": [{"study": s, "before": was or None, "after": now or None} for s, was, now in c.studies],
        "analyses": [
            {
                "analysis": a.id,
                "before": standing_plain(a.before),
                "after": standing_plain(a.after),
                "new": list(a.new),
                "gone": list(a.gone),
                "corrected": list(a.corrected),
                "moved_by": [{"study": m.study, "by": known(m.by)} for m in a.moves],
                "crossed": a.crossed or None,
            }
            for a in c.analyses
        ],
        "certainty": [
            {"analysis": x.analysis, "before": x.before, "after": x.after, "proposed_before": x.proposed_before,
             "proposed_after": x.proposed_after}
            for x in c.certainty
        ],
        "networks": [network_change_plain(n) for n in c.networks],
        "stale": [{"what": s.what, "of": s.of, "who": s.who, "when": s.when, "why": s.why} for s in c.stale],
        "method": list(c.method),
    }  # fmt: skip
