"""The study data that RevMan Web imports and exports: arms of studies and their results -> outcomes of pairs of arms.

``*-study-arms.csv`` names the arms of a study and the intervention each maps to, ``*-study-results.csv`` what was
measured: a row for an arm, or for an arm against a reference arm. They hold no analyses, so every outcome becomes one
for each pair of interventions that studies compare, the arm listed first against the one listed later. Measure, method
and model are not in the files: those set here (risk ratio or mean difference, random effects, REML) are a beginning,
for the reader to change. Every cell stays in :attr:`RevManReview.arms` and :attr:`RevManReview.results`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import sqrt
from types import MappingProxyType

from balm.review.revman.measures import is_ratio_name, measure_code
from balm.review.revman.model import (
    CONTINUOUS,
    DICHOTOMOUS,
    GENERIC,
    Comparison,
    Outcome,
    Row,
    Settings,
    StudyArm,
    StudyResult,
)
from balm.review.revman.tables_in import Line, clean, value
from balm.vocabulary.spreadsheet_cell import unsafe_cell

#: How an export of ours marks the arms of a study's second line in an outcome; they stand against one another alone.
_ENTRY = re.compile(r" \(entry \d+\)$")

Pair = tuple[str, str]
Found = dict[tuple[str, str, Pair], list[Row]]


def bare(line: Line) -> Line:
    """The cells without the apostrophe that keeps a spreadsheet from running them.

    >>> bare({"study": "'-3 Group 2001", "year": "2001"})
    {'study': '-3 Group 2001', 'year': '2001'}
    """
    return {name: unsafe_cell(text) for name, text in line.items()}


def read_arms(lines: Sequence[Line]) -> tuple[StudyArm, ...]:
    """The arms, in the order of the file."""
    return tuple(
        StudyArm(study, arm, clean(line.get("description")), clean(line.get("intervention")))
        for line in lines
        if (study := clean(line.get("study"))) and (arm := clean(line.get("arm")))
    )


def read_results(lines: Sequence[Line]) -> tuple[StudyResult, ...]:
    """The results, in the order of the file; ``cells`` holds every other column that is filled."""
    own = ("study", "outcome", "arm", "reference arm")
    return tuple(
        StudyResult(
            study,
            clean(line.get("outcome")),
            clean(line.get("arm")),
            clean(line.get("reference arm")),
            MappingProxyType({name: text for name in line if name not in own and (text := clean(line[name]))}),
        )
        for line in lines
        if (study := clean(line.get("study")))
    )


def comparisons_of(arms: Sequence[StudyArm], results: Sequence[StudyResult]) -> tuple[Comparison, ...]:
    """Every pair of interventions that studies compare, with an outcome for each that they report."""
    place = {(arm.study, arm.name): at for at, arm in enumerate(arms)}
    stands = {(arm.study, arm.name): arm.intervention or arm.name for arm in arms}
    found: Found = {}
    for outcome, kind, pair, row in _rows(results, place, stands):
        key = (outcome, kind, pair)
        back = (outcome, kind, (pair[1], pair[0]))
        if key not in found and back in found:
            key, row = back, _turned(row)
        found.setdefault(key, []).append(row)
    pairs: dict[Pair, list[Outcome]] = {}
    measures = {(r.outcome): r.cells.get("effect measure", "") for r in results if r.reference_arm}
    for (outcome, kind, pair), rows in found.items():
        listed = pairs.get(pair)
        if listed is None:
            listed = pairs.get((pair[1], pair[0]), pairs.setdefault(pair, []))
        number = f"{list(pairs).index(pair) + 1}.{len(listed) + 1}"
        measure = measures.get(outcome, "") if kind == GENERIC else ""
        listed.append(
            Outcome(
                id=f"CMP-{number}",
                number=number,
                name=outcome,
                type=kind,
                settings=_settings(kind, measure),
                rows=tuple(rows),
                label_1=pair[0],
                label_2=pair[1],
            )
        )
    return tuple(
        Comparison(f"CMP-{at}", str(at), f"{first} versus {second}", tuple(outcomes))
        for at, ((first, second), outcomes) in enumerate(pairs.items(), 1)
    )


def _settings(kind: str, measure: str) -> Settings:
    code = {DICHOTOMOUS: "RR", CONTINUOUS: "MD"}.get(kind, measure_code(measure))
    return Settings(
        measure=code,
        method="MH" if kind == DICHOTOMOUS else "IV",
        model="random",
        measure_name=measure,
        tau2="REML",
        profile="revman-web",
        log_data=is_ratio_name(measure),
    )


def _rows(
    results: Sequence[StudyResult], place: dict[Pair, int], stands: dict[Pair, str]
) -> Iterator[tuple[str, str, Pair, Row]]:
    """``(outcome, kind of data, interventions, row)`` of every pair of arms of a study."""
    of_arms: dict[tuple[str, str, str, str], list[StudyResult]] = {}
    for r in results:
        if r.reference_arm:
            effect, se = value(dict(r.cells), "mean"), value(dict(r.cells), "se")
            data = {name: number for name, number in (("effect", effect), ("se", se)) if number is not None}
            pair = tuple(stands.get((r.study, arm), arm) for arm in (r.arm, r.reference_arm))
            yield r.outcome, GENERIC, (pair[0], pair[1]), _row(r, data)
        else:
            kind = CONTINUOUS if "continuous" in r.cells.get("data type", "").lower() else DICHOTOMOUS
            entry = _ENTRY.search(r.arm)
            of_arms.setdefault((r.study, r.outcome, kind, entry[0] if entry else ""), []).append(r)
    for (study, outcome, kind, _), listed in of_arms.items():
        listed = sorted(listed, key=lambda r: place.get((r.study, r.arm), len(place)))
        for at, first in enumerate(listed):
            for second in listed[at + 1 :]:
                names = (stands.get((study, first.arm), first.arm), stands.get((study, second.arm), second.arm))
                pair = names if names[0] != names[1] else (first.arm, second.arm)
                data = _numbers(first, kind, 1) | _numbers(second, kind, 2)
                yield outcome, kind, pair, _row(first, data, second)


def _row(first: StudyResult, data: dict[str, float], second: StudyResult | None = None) -> Row:
    notes = dict.fromkeys(r.cells.get("footnotes", "") for r in (first, second) if r is not None)
    footnote = "; ".join(filter(None, notes))
    return Row(study_id=first.study, study=first.study, data=MappingProxyType(data), footnote=footnote)


def _numbers(r: StudyResult, kind: str, group: int) -> dict[str, float]:
    """What one arm gives to a row. A standard deviation follows from the standard error where that alone is given."""
    cells = dict(r.cells)
    n = value(cells, "sample size")
    if kind == DICHOTOMOUS:
        held = {"events": value(cells, "cases"), "n": n}
    else:
        sd, se = value(cells, "sd"), value(cells, "se")
        if sd is None and se is not None and n is not None and n > 0:
            sd = se * sqrt(n)
        held = {"mean": value(cells, "mean"), "sd": sd, "n": n}
    return {f"{name}_{group}": number for name, number in held.items() if number is not None}


def _turned(row: Row) -> Row:
    """The row with its groups the other way round."""
    data = {f"{name[:-1]}{3 - int(name[-1])}" if name[-2:] in ("_1", "_2") else name: v for name, v in row.data.items()}
    if "effect" in data:
        data["effect"] = -data["effect"]
    return Row(study_id=row.study_id, study=row.study, data=MappingProxyType(data), footnote=row.footnote)
