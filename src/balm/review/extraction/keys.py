"""Names of rows that two people choose alike without talking: from the outcome, the arm and the time point."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from balm.review.extraction.fields import ARMS, CONTRASTS, RESULTS
from balm.review.schema import PERIODS, ROLES, TABLE_BY_FILE, TIME_UNITS, VALUES_ARE
from balm.review.tables import read_cell
from balm.vocabulary.problems import InputError, Problem, check_option


def arm_key(role: str, taken: Collection[str]) -> str:
    """The id of the next arm with this role: arms are entered in the order of the report.

    >>> arm_key("placebo", []), arm_key("active placebo", ["active-placebo"])
    ('placebo', 'active-placebo-2')
    """
    stem = check_option("role", role, ROLES).replace(" ", "-")
    number = 1
    while (key := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return key


def result_key(cells: Mapping[str, str]) -> str:
    """The key of a result: outcome, arm, time, and what sets it apart from others at that time.

    >>> result_key({"outcome": "pain", "arm": "ket", "time": "7", "time_unit": "d", "value_is": "change"})
    'pain_ket_7d_change'
    """
    _check(RESULTS, cells, ("outcome", "arm"))
    parts = [
        cells["outcome"],
        cells["arm"],
        _time(cells),
        *(cells.get(n, "") for n in ("value_is", "period", "sequence")),
    ]
    return _joined(parts)


def contrast_key(cells: Mapping[str, str]) -> str:
    """The key of a contrast: outcome, both arms, time.

    >>> contrast_key({"outcome": "pain", "arm_1": "ket", "arm_2": "pbo", "time": "2", "time_unit": "wk"})
    'pain_ket-pbo_2wk'
    """
    _check(CONTRASTS, cells, ("outcome", "arm_1", "arm_2"))
    if cells["arm_1"] == cells["arm_2"]:
        raise InputError(
            Problem(f"arm_2 must be another arm than arm_1; got {cells['arm_2']!r} for both", column="arm_2")
        )
    arms = f"{cells['arm_1']}-{cells['arm_2']}"
    return _joined([cells["outcome"], arms, _time(cells), cells.get("value_is", ""), cells.get("period", "")])


def key_of(table: str, cells: Mapping[str, str], taken: Collection[str]) -> str:
    """The key of a new row of ``table``; :class:`InputError` names what is missing or wrong."""
    if table == ARMS:
        return arm_key(cells.get("role", ""), taken)
    return result_key(cells) if table == RESULTS else contrast_key(cells)


def _check(table: str, cells: Mapping[str, str], needed: Collection[str]) -> None:
    problems = [Problem("must be chosen", column=name) for name in needed if not cells.get(name)]
    for name, allowed in (("time_unit", TIME_UNITS), ("value_is", VALUES_ARE), ("period", PERIODS)):
        if cells.get(name) and cells[name] not in allowed:
            problems.append(Problem(f"must be one of {list(allowed)}; got {cells[name]!r}", column=name))
    if bool(cells.get("time")) != bool(cells.get("time_unit")):
        problems.append(Problem("time and its unit come together", column="time_unit" if cells.get("time") else "time"))
    if cells.get("time"):
        _, reason = read_cell(cells["time"], TABLE_BY_FILE[table].column("time"))
        if reason:
            problems.append(Problem(f"{reason}; got {cells['time'][:80]!r}", column="time"))
    if not cells.get("time") and not cells.get("timepoint"):
        problems.append(
            Problem("give the time point: a number with its unit, or the words of the report", column="time")
        )
    if problems:
        raise InputError(problems)


def _time(cells: Mapping[str, str]) -> str:
    if cells.get("time"):
        return f"{float(cells['time']):g}{cells['time_unit']}"
    return cells["timepoint"]


def _joined(parts: list[str]) -> str:
    return "_".join(re.sub(r"[^A-Za-z0-9.\-]+", "-", p).strip("-.") for p in parts if p)[:160]
