"""The counts of a PRISMA 2020 flow from a table: the CSV of the PRISMA2020 package, a data frame, or counts by name.

Haddaway NR, Page MJ, Pritchard CC, McGuinness LA. PRISMA2020: an R package and Shiny app for producing PRISMA
2020-compliant flow diagrams. Campbell Systematic Reviews 2022;18:e1230. Columns ``data`` (the key) and ``n``; named
counts stand in one cell (``wrong population, 11; no control group, 7``), a template's ``xxx`` is not known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from balm.review.flow import Count, Flow, Named
from balm.review.plain_rows import as_text, plain_rows
from balm.vocabulary.problems import InputError, Problem

KEY, COUNT, ADDRESS = "data", "n", "url"
NEEDS = "data and n, as the template of PRISMA 2020 has them"
#: Rows of the template that are headings and hold no count.
HEADINGS = ("identification", "screening", "included")
#: Keys whose cell may list named counts instead of their sum, and the field that holds them.
REASONS = {"dbr_excluded": "dbr_excluded_reasons", "other_excluded": "other_excluded_reasons"}
#: The keys that are counts, and those that are lists of named counts.
COUNTS = tuple(f.name for f in fields(Flow) if f.type == "Count")
LISTS = tuple(f.name for f in fields(Flow) if f.type == "Named")
_OTHER = ("website_", "organisation_", "citations_", "other_")
#: Not told: an empty cell, R's NA, a template's placeholder.
_NOT_KNOWN = ("", "na", "nan", "xxx", "not known")
_WHOLE = re.compile(r"\d+(?:\.0+)?|\d{1,3}(?:[ ,\u00a0\u202f]\d{3})+")


@dataclass(frozen=True, slots=True)
class PlainFlow:
    """A flow read from a table, and the address that each key's row names ("" for none)."""

    flow: Flow
    addresses: Mapping[str, str]


def plain_flow(data: Any) -> PlainFlow:
    """Read counts: a CSV file, data frame, list of dicts or dict of columns with ``data`` and ``n``, or a dict by key.

    Previous studies belong to the diagram where the table gives a count of them, other methods where it gives one of
    theirs, also where it is 0.

    >>> plain_flow({"database_results": 120, "dbr_excluded": "wrong population, 11; acute pain, 7"}).flow.dbr_excluded
    18
    """
    problems: list[Problem] = []
    cells: list[tuple[int | None, str, Any]]
    addresses: dict[str, str] = {}
    if isinstance(data, Mapping) and not {KEY, COUNT} <= set(data):
        file = ""
        cells = [(None, str(key), value) for key, value in data.items()]
    else:
        table = plain_rows(data, needs=NEEDS)
        file, named = table.file, {head.lower(): head for head in table.heads}
        if missing := [name for name in (KEY, COUNT) if name not in named]:
            raise InputError(Problem(f"the table has no column {' and no '.join(missing)}; it needs {NEEDS}", file))
        filled = [(i, row) for i, row in enumerate(table.rows, 1) if row[named[KEY]].lower() not in _NOT_KNOWN]
        cells = [(i, row[named[KEY]], row[named[COUNT]]) for i, row in filled]
        given = [(row[named[KEY]], row[named[ADDRESS]]) for _, row in filled] if ADDRESS in named else []
        addresses = {key: address for key, address in given if address.lower() not in _NOT_KNOWN}
    if not cells:
        raise InputError(Problem(f"the table holds no count; it needs {NEEDS}", file or "flow"))
    values: dict[str, Any] = {}
    for row, key, cell in cells:
        if key in HEADINGS:
            continue
        for name, value in _read(file, row, key, cell, problems):
            if name in values:
                problems.append(Problem(f"{key!r} stands in the table more than once", file or "flow", row=row))
            values[name] = value
    if problems:
        raise InputError(problems)
    known = {name for name, value in values.items() if value is not None}
    return PlainFlow(
        Flow(
            **values,
            is_update=any(name.startswith("previous_") for name in known),
            uses_other_methods=any(name.startswith(_OTHER) for name in known),
        ),
        addresses,
    )


def _read(file: str, row: int | None, key: str, cell: Any, problems: list[Problem]) -> Iterable[tuple[str, Any]]:
    """The fields that one cell fills."""
    at = {"file": file or "flow", "row": row, "column": COUNT if row else ""}
    lists = key in LISTS or (key in REASONS and (not isinstance(cell, str) or "," in cell))
    if key not in COUNTS and key not in LISTS:
        near = difflib.get_close_matches(key, (*COUNTS, *LISTS), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else f"; the keys are {', '.join((*COUNTS, *LISTS))}"
        problems.append(Problem(f"{key!r} is not a count of the PRISMA 2020 flow{hint}", file or "flow", row=row))
        return []
    if lists and not isinstance(cell, (int, float)) and cell is not None:
        rows = _named(key, cell, at, problems)
        if key not in REASONS:
            return [(key, rows)]
        counts = [n for _, n in rows]
        total = None if None in counts else sum(n for n in counts if n is not None)
        return [(key, total), (REASONS[key], rows)]
    return [(key, _count(key, as_text(cell), at, problems))]


def _named(key: str, cell: Any, at: dict[str, Any], problems: list[Problem]) -> Named:
    """Named counts: ``a, 3; b, 2``, a dict, or pairs."""
    if isinstance(cell, str):
        parts = [part.strip() for part in cell.split(";") if part.strip()]
        pairs = [tuple(p.strip() for p in part.rpartition(",")[::2]) for part in parts if part.lower() != "na"]
    else:
        pairs = [tuple(map(as_text, pair)) for pair in (cell.items() if isinstance(cell, Mapping) else cell)]
    found = []
    for pair in pairs:
        if len(pair) != 2 or not pair[0]:
            said = ", ".join(part for part in pair if part)
            problems.append(Problem(f"{key} needs a name and a number, as 'acute pain, 7'; got {said!r}", **at))
        else:
            found.append((pair[0], _count(f"{key}, {pair[0]}", pair[1], at, problems)))
    return tuple(found)


def _count(name: str, text: str, at: dict[str, Any], problems: list[Problem]) -> Count:
    if text.lower() in _NOT_KNOWN:
        return None
    if not _WHOLE.fullmatch(text):
        reason = f"{name} must be a whole number of 0 or more, or empty where it is not known; got {text!r}"
        problems.append(Problem(reason, **at, value=text))
        return None
    return int(re.sub(r"\.0+$|\D", "", text))
