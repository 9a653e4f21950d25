"""What an analysis rests on, as plain values with one hash: the same data and choices, the same hash, anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from balm.review.synthesis import AnalysisResult, EffectRow


def data_of(result: AnalysisResult) -> dict[str, Any]:
    """The numbers used: each study's values with the rows they came from, and its place in each subgroup and
    sensitivity analysis."""
    return {
        "rows": [_row(row) for row in result.rows],
        "subgroups": [[s.level, [row.study for row in s.rows]] for s in result.subgroups],
        "sensitivity": [[s.label, s.changed, [_row(row) for row in s.rows]] for s in result.sensitivity],
    }


def _row(row: EffectRow) -> dict[str, Any]:
    return {
        "study": row.study,
        "label": row.label,
        "design": row.design,
        "correlation": row.correlation,
        "values": {name: float(value) for name, value in sorted(row.values.items())},
        "results": list(row.results),
    }


def data_hash(result: AnalysisResult) -> str:
    """SHA-256 of :func:`data_of`: 64 hexadecimal digits."""
    return hashlib.sha256(canonical(data_of(result)).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON that is the same for the same values: sorted keys, no blanks, floats that read back exactly."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def upstream(result: AnalysisResult) -> dict[str, set[str]]:
    """Table -> ids of the rows that this analysis reads; ``studies.csv`` and ``arms.csv`` by study."""
    rows = [*result.rows, *(row for s in result.sensitivity for row in s.rows)]
    studies = {row.study for row in rows} | {study for study, _ in result.not_pooled}
    own = "contrasts.csv" if result.spec.contrasts else "results.csv"
    return {own: {r for row in rows for r in row.results}, "studies.csv": studies, "arms.csv": studies}


def changed_cells(before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> Iterator[tuple[str, str, str]]:
    """``(column, before, after)`` of each cell that differs between two states of a row; an absent cell is empty.

    >>> list(changed_cells({"n": "30", "events": "4"}, {"n": "30", "events": "5"}))
    [('events', '4', '5')]
    """
    one, two = before or {}, after or {}
    for column in dict.fromkeys([*one, *two]):
        if one.get(column, "") != two.get(column, ""):
            yield column, one.get(column, ""), two.get(column, "")


def concerns(table: str, cells: Iterable[Mapping[str, str]], reads: Mapping[str, set[str]], outcome: str) -> bool:
    """Whether a change of a row (its states before and after) can touch the analysis that ``reads`` these rows."""
    for row in cells:
        if row.get("outcome") == outcome and table in ("results.csv", "contrasts.csv"):
            return True
        for column in ("result", "contrast", "study"):
            if row.get(column, "") in reads.get(table, ()):
                return True
    return False
