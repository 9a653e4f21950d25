"""RevMan 5's "export analysis data" (CSV, 37 columns, or fewer as chosen on export) -> :class:`RevManReview`.

A line is a comparison, an outcome, a subgroup or a study. With the three number columns the kind of a line follows from
them; without, from which cells are filled: only lines with a data type are outcomes or subgroups, and only outcomes
carry the test for subgroup differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import log
from types import MappingProxyType

from balm.review.revman.measures import is_ratio_name, measure_code, method_code, type_of
from balm.review.revman.model import (
    CONTINUOUS,
    DICHOTOMOUS,
    GENERIC,
    O_E,
    Comparison,
    Outcome,
    RevManReview,
    Row,
    Settings,
    Study,
    Subgroup,
)
from balm.review.revman.tables_in import Line, clean, decimals, read_table, value
from balm.vocabulary.problems import InputError, Problem

_STORED = MappingProxyType(
    {
        "effect estimate": "estimate",
        "se": "se",
        "ci start": "ci_low",
        "ci end": "ci_high",
        "weight": "weight",
        "q": "chi2",
        "p q": "p_chi2",
        "i2 q": "i2",
        "tau2": "tau2",
        "z": "z",
        "p z": "p",
        "qint": "q",
        "p qint": "p_q",
        "i2 qint": "i2_q",
        "df": "df",
        "events 1": "events_1",
        "total 1": "n_1",
        "events 2": "events_2",
        "total 2": "n_2",
    }
)
_COMPUTED = tuple(k for k in _STORED if not k.startswith(("events", "total")))
_DATA = MappingProxyType(
    {
        "events 1": "events_1",
        "total 1": "n_1",
        "events 2": "events_2",
        "total 2": "n_2",
        "mean 1": "mean_1",
        "sd 1": "sd_1",
        "mean 2": "mean_2",
        "sd 2": "sd_2",
        "o e": "o_e",
        "variance": "var",
        "var": "var",
    }
)
#: Columns without which a CSV is no export of RevMan 5.
NEEDED = ("name", "data type", "statistical method", "effect measure", "effect estimate")


@dataclass
class _Part:
    """An outcome, or a subgroup of one, while its lines are being read."""

    line: Line
    number: str
    rows: list[Line] = field(default_factory=list)
    parts: list[_Part] = field(default_factory=list)


def read_analysis_csv(data: bytes, source: str) -> RevManReview:
    """The review in the CSV; :class:`InputError` when it is none of RevMan's."""
    lines, problems = read_table(data, source)
    if lines and not all(name in lines[0] for name in NEEDED):
        missing = [name for name in NEEDED if name not in lines[0]]
        raise InputError(Problem(f"is no export of RevMan 5: it has no column {missing[0]!r}", file=source))
    numbered = bool(lines) and "outcome number" in lines[0]
    comparisons: list[tuple[Line, list[_Part]]] = []
    for place, line in enumerate(lines, 1):
        kind = _numbered(line) if numbered else _by_cells(line)
        if kind == "comparison" or not comparisons:
            comparisons.append((line if kind == "comparison" else {"name": ""}, []))
            if kind == "comparison":
                continue
        outcomes = comparisons[-1][1]
        if kind == "outcome":
            number = clean(line.get("outcome number")) or str(len(outcomes) + 1)
            outcomes.append(_Part(line, number))
        elif not outcomes:
            problems.append(Problem("a line before the first outcome was passed over", file=source, row=place))
        elif kind == "subgroup":
            outcomes[-1].parts.append(_Part(line, str(len(outcomes[-1].parts) + 1)))
        else:
            (outcomes[-1].parts[-1] if outcomes[-1].parts else outcomes[-1]).rows.append(line)
    places = decimals([clean(line.get(name)) for line in lines for name in _COMPUTED])
    made = []
    for i, (line, parts) in enumerate(comparisons, 1):
        number = clean(line.get("comparison number")) or str(i)
        outcomes_made = tuple(_outcome(part, number) for part in parts)
        made.append(Comparison(f"CMP-{number}", number, clean(line.get("name")), outcomes_made))
    names: dict[str, str] = {}
    for c in made:
        for o in c.outcomes:
            for row in o.all_rows:
                names.setdefault(row.study, row.year)
    return RevManReview(
        source=source,
        format="revman5-csv",
        title="",
        comparisons=tuple(made),
        studies=tuple(Study(name, name, year) for name, year in names.items()),
        decimals=places,
        repairs=tuple(problems),
    )


def _numbered(line: Line) -> str:
    if not int(value(line, "outcome number") or 0):
        return "comparison"
    if clean(line.get("data type")):
        return "subgroup" if int(value(line, "subgroup number") or 0) else "outcome"
    return "study"


def _by_cells(line: Line) -> str:
    if clean(line.get("data type")):
        return "subgroup" if clean(line.get("df")) and not clean(line.get("qint")) else "outcome"
    return "study" if any(clean(v) for k, v in line.items() if k not in ("name", "")) else "comparison"


def _outcome(part: _Part, comparison: str) -> Outcome:
    line = part.line
    kind = type_of(line.get("data type", ""))
    name = clean(line.get("effect measure"))
    code = measure_code(name)
    method = "PETO" if code == "PETO_OR" and kind == DICHOTOMOUS else method_code(line.get("statistical method", ""))
    totalled = any(clean(line.get(c)) for c in ("effect estimate", "df", "z", "q"))
    inside = any(clean(p.line.get("df")) for p in part.parts)
    settings = Settings(
        measure="OR" if code == "PETO_OR" else code,
        method=method,
        model="random" if clean(line.get("analysis model")).lower().startswith("random") else "common",
        measure_name=name,
        totals="YES" if totalled else "SUB" if inside else "NO",
        log_data=kind == GENERIC and is_ratio_name(name),
    )
    identity = f"CMP-{comparison}.{part.number}"
    made = Outcome(
        id=identity,
        number=f"{comparison}.{part.number}",
        name=clean(line.get("name")),
        type=kind,
        settings=settings,
        rows=tuple(_row(r, kind, settings) for r in part.rows),
        subgroups=tuple(
            Subgroup(
                f"{identity}.{p.number}",
                clean(p.line.get("name")),
                tuple(_row(r, kind, settings) for r in p.rows),
                _stored(p.line),
            )
            for p in part.parts
        ),
        stored=_stored(line),
        label_1=clean(line.get("group label 1")),
        label_2=clean(line.get("group label 2")),
        favours_1=clean(line.get("left graph label")),
        favours_2=clean(line.get("right graph label")),
    )
    if not part.parts:
        return made
    # a subgroup's own cells of the test are empty; events and totals of a continuous outcome hold zeros
    return replace(made, stored=MappingProxyType(dict(made.stored)))


def _stored(line: Line) -> Mapping[str, str]:
    found = {ours: text for theirs, ours in _STORED.items() if (text := clean(line.get(theirs)))}
    if type_of(line.get("data type", "")) not in (DICHOTOMOUS, O_E):
        found.pop("events_1", None)
        found.pop("events_2", None)
    return MappingProxyType(found)


def _row(line: Line, kind: str, settings: Settings) -> Row:
    data = {ours: v for theirs, ours in _DATA.items() if (v := value(line, theirs)) is not None}
    stored = {ours: t for theirs, ours in list(_STORED.items())[:5] if (t := clean(line.get(theirs)))}
    keep = {DICHOTOMOUS: ("events", "n_"), CONTINUOUS: ("mean", "sd", "n_"), O_E: ("events", "n_", "o_e", "var")}
    data = {k: v for k, v in data.items() if k.startswith(keep.get(kind, ("n_",)))}
    if kind == GENERIC:
        estimate, se = value(line, "effect estimate"), value(line, "se")
        if estimate is not None and se is not None and (estimate > 0 or not settings.log_data):
            data |= {"effect": log(estimate) if settings.log_data else estimate, "se": se}
        stored.pop("se", None)
    name = clean(line.get("name"))
    # RevMan writes zeros beside a study that was unticked, as beside one that nothing can be estimated of.
    left_out = all(value(line, column) == 0.0 for column in ("effect estimate", "se", "ci start", "ci end", "weight"))
    return Row(
        study_id=name,
        study=name,
        data=MappingProxyType(data),
        stored=MappingProxyType(stored),
        estimable=False if left_out else None,
        year=clean(line.get("year of study")),
    )
