"""A whole package from the bytes of its files: typed rows, cross-checked, with every problem at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from balm.review.certainty.network_on_record import network_certainty_problems
from balm.review.certainty.on_record import certainty_problems
from balm.review.living.history import version_problems
from balm.review.networks.planned import network_problems
from balm.review.package import AnalysisSpec, Meta, Package, SubgroupSpec
from balm.review.plan import FILE, parse_toml, read_plan
from balm.review.risk_of_bias.on_record import judgement_problems
from balm.review.schema import NO_SINGLE_ARM, STATEMENT, TABLES, Table
from balm.review.screening.frozen import batch_problems
from balm.review.tables import decode, read_cells, read_table, unknown_name
from balm.vocabulary.evidence import GuidanceStatement, Result
from balm.vocabulary.problems import Problem

#: Files of ``guidance/`` that hold no statements: the therapy in its own words, and models of plasma concentration.
OF_THE_GUIDANCE_ROOM = ("guidance/therapy.toml", "guidance/pharmacokinetics.toml")
#: What ``[guideline]`` says once for all its statements; a statement may say otherwise.
OF_THE_GUIDELINE = (
    "year", "report", "basis", "drug_form", "route", "review_due", "checked_by", "reviewed", "next_review",
)  # fmt: skip


def read_package(files: Mapping[str, bytes], folder: Path) -> tuple[Package | None, tuple[Problem, ...]]:
    """The package held in ``files`` (relative name -> bytes), or ``None``; and every problem found in it.

    Files the format does not know are left alone: a package may hold a person's own notes. ``folder`` is only kept.
    """
    problems: list[Problem] = []
    meta: Meta | None = None
    if FILE in files:
        text, wrong = decode(files[FILE], file=FILE)
        problems += wrong
        if not wrong:
            meta, wrong = read_plan(text)
            problems += wrong
    else:
        problems.append(Problem("the file is missing; `balm new` starts a package with it", file=FILE))
    rows: dict[str, tuple[Any, ...]] = {}
    broken: set[str] = set()
    for table in TABLES:
        if table.file not in files:
            rows[table.attribute] = ()
            if table.required:
                problems.append(Problem("the file is missing; it may hold its header alone", file=table.file))
                broken.add(table.attribute)
            continue
        text, wrong = decode(files[table.file], file=table.file)
        if not wrong:
            rows[table.attribute], wrong = read_table(text, table)
        if wrong:
            broken.add(table.attribute)
        problems += wrong
        rows.setdefault(table.attribute, ())
    rows["guidance"], wrong = _guidance(files)
    problems += wrong
    problems += _references(rows, broken, meta)
    problems += _counts(rows["results"])
    problems += _pairs(rows)
    problems += _design_fields(rows)
    problems += batch_problems(rows["batches"])
    problems += judgement_problems(rows["risk_of_bias"])
    problems += certainty_problems(rows["certainty"])
    problems += version_problems(rows["versions"])
    if meta is not None:
        problems += _planned(rows, broken, meta)
        if not broken & {"arms", "studies"}:
            problems += network_problems(meta, rows["arms"], [s.study for s in rows["studies"]])
            problems += network_certainty_problems(rows["network_certainty"], meta, rows["arms"])
    if problems or meta is None:
        return None, tuple(problems)
    return Package(folder=folder, meta=meta, present=frozenset(files), **rows), ()


def _guidance(files: Mapping[str, bytes]) -> tuple[tuple[GuidanceStatement, ...], list[Problem]]:
    statements: list[GuidanceStatement] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for file in sorted(f for f in files if f.startswith("guidance/") and f.endswith(".toml")):
        if file in OF_THE_GUIDANCE_ROOM:
            continue
        text, wrong = decode(files[file], file=file)
        data, more = ({}, []) if wrong else parse_toml(text, file)
        problems += wrong + more
        if wrong or more:
            continue
        guideline = data.get("guideline")
        if not isinstance(guideline, dict):
            problems.append(Problem("is missing: the file needs a table `[guideline]`", file=file, column="guideline"))
            continue
        problems += _fields(data, ("guideline", "statement"), file)
        problems += _fields(guideline, ("name", *OF_THE_GUIDELINE), file, column="guideline")
        given = data.get("statement", [])
        if not isinstance(given, list) or not all(isinstance(g, dict) for g in given):
            problems.append(Problem("must be a list of tables, `[[statement]]`", file=file, column="statement"))
            continue
        for number, statement in enumerate(given, start=1):
            cells = {"guideline": guideline.get("name")} | {name: guideline.get(name) for name in OF_THE_GUIDELINE}
            cells |= statement
            names = [c.name for c in STATEMENT.columns]
            problems += _fields(cells, names, file, row=number)
            texts = {name: _cell(value) for name, value in cells.items()}
            values, wrong = read_cells(texts, STATEMENT, row=number, file=file)
            problems += wrong
            if wrong:
                continue
            row = GuidanceStatement(**values, file=file, row=number)
            if row.id in seen:
                reason = f"{row.id!r} stands in {seen[row.id]} already"
                problems.append(Problem(reason, file=file, row=number, column="id"))
            seen.setdefault(row.id, f"{file}, row {number}")
            statements.append(row)
    return tuple(statements), problems


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(str(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip()


def _fields(
    data: Mapping[str, Any], known: Sequence[str], file: str, row: int | None = None, column: str = ""
) -> list[Problem]:
    return [
        Problem(
            unknown_name("a field of this table", name, known),
            file=file,
            row=row,
            column=f"{column}.{name}" if column else name,
        )
        for name in data
        if name not in known
    ]


def _references(rows: Mapping[str, tuple[Any, ...]], broken: set[str], meta: Meta | None) -> list[Problem]:
    """Ids that point nowhere. A file with wrong rows of its own is not searched: its ids are incomplete."""
    targets: dict[str, set[str]] = {
        "studies": {s.study for s in rows["studies"]},
        "reports": {r.report for r in rows["reports"]},
        "results": {r.result for r in rows["results"]},
        "records": {r.record for r in rows["records"]},
        "searches": {s.search for s in rows["searches"]},
        "versions": {v.version for v in rows["versions"] if v.kind == "version"},
    }
    where = {
        "studies": "a study of studies.csv",
        "reports": "a report of reports.csv",
        "results": "a result of results.csv",
    }
    where["versions"] = "a version of this review in versions.csv"
    where |= {"records": "a record of records.csv", "searches": "a search of searches.csv"}
    if meta is not None:
        for name in ("outcomes", "windows", "scales", "analyses", "comparisons", "networks"):
            targets[name] = {item.id for item in getattr(meta, name)}
            where[name] = f"one of [[{name}]] in review.toml"
    arms: dict[str, set[str]] = {}
    for arm in rows["arms"]:
        arms.setdefault(arm.study, set()).add(arm.arm)
    problems: list[Problem] = []
    for table in (*TABLES, STATEMENT):
        for column in (c for c in table.columns if c.refers):
            to = column.refers.rstrip("*")
            own = table.attribute == to and column.name == table.key[0]
            if own or to in broken or (to not in targets and to != "arms"):
                continue
            for row in rows[table.attribute]:
                value = getattr(row, column.name)
                for one in value if isinstance(value, tuple) else (value,):
                    if one is None:
                        continue
                    if to == "arms":
                        known = arms.get(row.study, set())
                        if one in known or (column.refers.endswith("*") and one in NO_SINGLE_ARM):
                            continue
                        reason = unknown_name(f"an arm of study {row.study!r} in arms.csv", one, sorted(known))
                    elif one in targets[to]:
                        continue
                    else:
                        reason = unknown_name(where[to], one, sorted(targets[to]))
                    file = getattr(row, "file", "") if table is STATEMENT else table.file
                    problems.append(
                        Problem(reason, file=file or table.file, row=row.row, column=column.name, value=one)
                    )
    return problems


def _counts(results: Iterable[Result]) -> list[Problem]:
    """Numbers of one row that contradict each other."""
    problems: list[Problem] = []

    def wrong(row: Result, column: str, reason: str) -> None:
        place = f"study {row.study}, arm {row.arm!r}: {reason}"
        problems.append(Problem(place, file="results.csv", row=row.row, column=column))

    for r in results:
        if r.events is not None and r.n is not None and r.events > r.n:
            wrong(r, "events", f"events ({r.events}) exceed participants ({r.n})")
        if r.events is not None and r.n is None:
            wrong(r, "n", f"{r.events} events without the number of participants")
        if (r.spread is None) != (r.spread_is is None):
            wrong(r, "spread_is", "spread and spread_is come together: the number, and how it is read here")
        if r.spread is not None and (r.sd is not None or r.se is not None):
            wrong(r, "spread", "a spread of unknown kind beside an sd or se; keep one of them")
        if (r.ci_low is None) != (r.ci_high is None):
            wrong(r, "ci_low" if r.ci_low is None else "ci_high", "an interval needs both ends")
        _ordered(r, ("ci_low", "mean", "ci_high"), wrong)
        _ordered(r, ("min", "q1", "median", "q3", "max"), wrong)
        if (r.time is None) != (r.time_unit is None):
            wrong(r, "time_unit", "time and time_unit come together")
        if not r.usable and not r.why_not:
            wrong(r, "why_not", "says nothing although usable is 'no'")
    return problems


#: Fields that describe the design of a trial, with the ends they lie between.
DESIGN_FIELDS = {"icc": (0.0, 1.0), "r": (-1.0, 1.0), "baseline_r": (-1.0, 1.0), "cluster_size": (1.0, math.inf)}


def _design_fields(rows: Mapping[str, tuple[Any, ...]]) -> list[Problem]:
    """Correlations and cluster sizes that cannot be."""
    problems = []
    for file, attribute in (("results.csv", "results"), ("contrasts.csv", "contrasts")):
        for row in rows[attribute]:
            for name, (low, high) in DESIGN_FIELDS.items():
                value = getattr(row, name, None)
                if value is not None and not low <= value <= high:
                    span = f"lie between {low:g} and {high:g}" if high < math.inf else f"be {low:g} or more"
                    problems.append(Problem(f"must {span}; got {value:g}", file=file, row=row.row, column=name))
    return problems


def _ordered(row: Result, names: Sequence[str], wrong: Any) -> None:
    given = [(name, getattr(row, name)) for name in names if getattr(row, name) is not None]
    for (name, value), (after, larger) in itertools.pairwise(given):
        if value > larger:
            wrong(row, after, f"{after} ({larger:g}) is below {name} ({value:g})")


def _pairs(rows: Mapping[str, tuple[Any, ...]]) -> list[Problem]:
    """Intervals of contrasts, published results and claims."""
    problems = []
    for file, attribute in (("contrasts.csv", "contrasts"), ("published.csv", "published"), ("claims.csv", "claims")):
        for r in rows[attribute]:
            low, high = r.ci_low, r.ci_high
            if (low is None) != (high is None):
                problems.append(Problem("an interval needs both ends", file=file, row=r.row, column="ci_low"))
            elif low is not None and high is not None:
                if low > high:
                    reason = f"ci_high ({high:g}) is below ci_low ({low:g})"
                    problems.append(Problem(reason, file=file, row=r.row, column="ci_high"))
                elif r.estimate is not None and not low <= r.estimate <= high:
                    reason = f"estimate ({r.estimate:g}) lies outside its interval ({low:g} to {high:g})"
                    problems.append(Problem(reason, file=file, row=r.row, column="estimate"))
    for c in rows["claims"]:
        if c.events is not None and c.n is not None and c.events > c.n:
            reason = f"events ({c.events}) exceed participants ({c.n})"
            problems.append(Problem(reason, file="claims.csv", row=c.row, column="events"))
    return problems


def _planned(rows: Mapping[str, tuple[Any, ...]], broken: set[str], meta: Meta) -> list[Problem]:
    """Studies, results and counts that the analyses name."""
    problems: list[Problem] = []
    studies = sorted(s.study for s in rows["studies"])
    results = sorted(r.result for r in rows["results"])
    contrasts = sorted(c.contrast for c in rows["contrasts"])
    sets = {id(known): frozenset(known) for known in (studies, results, contrasts)}

    def check(place: str, value: str, known: Sequence[str], what: str, source: str) -> None:
        if source not in broken and value not in sets.get(id(known), known):
            problems.append(Problem(unknown_name(what, value, known), file=FILE, column=place, value=value))

    for a in meta.analyses:
        for study in a.studies:
            check(f"analyses {a.id}.studies", study, studies, "a study of studies.csv", "studies")
        parts: list[tuple[str, AnalysisSpec | SubgroupSpec]] = [("", a)]
        parts += [(f".subgroups {s.name}", s) for s in a.subgroups]
        for name, part in parts:
            for result in part.results:
                check(f"analyses {a.id}{name}.results", result, results, "a result of results.csv", "results")
            for contrast in part.contrasts:
                where = f"analyses {a.id}{name}.contrasts"
                check(where, contrast, contrasts, "a contrast of contrasts.csv", "contrasts")
        for s in a.sensitivity:
            place = f"analyses {a.id}.sensitivity {s.label}.values"
            for value in s.values if s.vary in ("with", "without") else ():
                study, _, outcome = value.partition(":") if s.vary == "with" else (value, "", "")
                check(place, study, studies, "a study of studies.csv", "studies")
                if outcome:
                    check(place, outcome, [o.id for o in meta.outcomes], "one of [[outcomes]]", "")
            for value in s.values if s.vary == "assume" else ():
                assumed = read_assumption(value)
                if assumed is None:
                    reason = f"must read study:events_1/n_1:events_2/n_2 with events at most n; got {value!r}"
                    problems.append(Problem(reason, file=FILE, column=place, value=value))
                else:
                    check(place, assumed[0], studies, "a study of studies.csv", "studies")
    for trap in meta.traps:
        for study in trap.studies:
            check(f"traps {trap.title}.studies", study, studies, "a study of studies.csv", "studies")
    return problems


def read_assumption(text: str) -> tuple[str, int, int, int, int] | None:
    """``study:events_1/n_1:events_2/n_2`` as numbers, or ``None``.

    >>> read_assumption("mercadante2000:4/10:0/10")
    ('mercadante2000', 4, 10, 0, 10)
    """
    try:
        study, one, two = text.split(":")
        (a, n), (c, m) = ((int(x) for x in part.split("/")) for part in (one, two))
    except ValueError:
        return None
    return (study, a, n, c, m) if 0 <= a <= n and 0 <= c <= m and n > 0 and m > 0 else None


def files_of_format() -> tuple[Table, ...]:
    """Every table of the format, the statements of guidance included."""
    return (*TABLES, STATEMENT)
