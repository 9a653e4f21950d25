"""Settings that a file of rows does not hold, found by the numbers RevMan stored beside the rows.

A table of data rows has each study's effect, interval and weight, and nothing about how they were made.  The measure is
the one whose formula gives the stored effects and intervals, method and model are those that give the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from balm.review.revman.analyse import Recomputed, analyse
from balm.review.revman.model import CONTINUOUS, DICHOTOMOUS, GENERIC, O_E, Outcome, Row
from balm.review.revman.stored_number import number

#: Kinds of data with the settings of a measure, in the order in which RevMan offers them.
_MEASURES: tuple[tuple[str, Mapping[str, object]], ...] = (
    (DICHOTOMOUS, {"measure": "RR", "method": "MH"}),
    (DICHOTOMOUS, {"measure": "OR", "method": "MH"}),
    (DICHOTOMOUS, {"measure": "RD", "method": "MH"}),
    (DICHOTOMOUS, {"measure": "OR", "method": "PETO"}),
    (DICHOTOMOUS, {"measure": "RR", "method": "MH", "swap": True}),
    (CONTINUOUS, {"measure": "MD", "method": "IV"}),
    (CONTINUOUS, {"measure": "SMD", "method": "IV"}),
    (GENERIC, {"measure": "ratio", "method": "IV", "log_data": True}),
    (GENERIC, {"measure": "difference", "method": "IV"}),
    (O_E, {"measure": "HR", "method": "EXP_O_E_VAR"}),
)
_LEVELS = (0.95, 0.99, 0.9)
_MODELS: tuple[Mapping[str, object], ...] = (
    {"model": "random", "tau2": "DL"},
    {"model": "common"},
    {"model": "random", "tau2": "REML", "profile": "revman-web"},
)

Close = Callable[[float, float], bool]


def guess(outcome: Outcome, close: Close) -> Outcome:
    """The outcome with the settings that reproduce most of its stored numbers; what was found is in ``guessed``."""
    rows = [row for row in outcome.all_rows if _numbers(row)]
    best, most = outcome, -1
    for kind, settings in _MEASURES:
        for level in _LEVELS:
            tried = _with(outcome, kind, {**settings, "level_study": level, "level_total": level})
            hits = _effects(tried, rows, close)
            if hits > most:
                best, most = tried, hits
            if rows and hits == len(rows):
                break
        if rows and most == len(rows):
            break
    best = _with(best, best.type, {"totals": _totals(best)})
    if best.settings.totals == "NO":
        return best
    chosen, most = best, -1
    for tried in _methods(best):
        hits = _weights(tried, close)
        if hits > most:
            chosen, most = tried, hits
    return chosen


def _with(outcome: Outcome, kind: str, settings: Mapping[str, object]) -> Outcome:
    return replace(outcome, type=kind, settings=replace(outcome.settings, **settings))  # type: ignore[arg-type]


def _methods(outcome: Outcome) -> Iterator[Outcome]:
    methods = ["MH", "IV"] if outcome.settings.method == "MH" else [outcome.settings.method]
    for model in _MODELS:
        for method in methods:
            yield _with(outcome, outcome.type, {**model, "method": method})


def _numbers(row: Row) -> dict[str, float]:
    """The stored effect, interval and weight; empty where RevMan could not estimate."""
    found = {name: number(row.stored.get(name)) for name in ("estimate", "ci_low", "ci_high")}
    told = {name: value for name, value in found.items() if value is not None}
    return told if len(told) == len(found) and any(told.values()) else {}


def _effects(outcome: Outcome, rows: list[Row], close: Close) -> int:
    """How many rows have the stored effect and interval under the outcome's settings."""
    part = analyse(outcome, rows) if rows else Recomputed((), (), None, None)
    hits = 0
    for row, found in zip(rows, part.rows, strict=True):
        if found is not None and all(close(found[name], v) for name, v in _numbers(row).items()):
            hits += 1
    return hits


def _totals(outcome: Outcome) -> str:
    """Whose totals are shown: stored weights add up to 100 over all rows, within subgroups, or are all zero."""

    def total(rows: list[Row]) -> float:
        return sum(number(row.stored.get("weight")) or 0.0 for row in rows)

    if total(list(outcome.all_rows)) == 0.0:
        return "NO"
    if not all(row.in_overall and row.in_subgroup for row in outcome.all_rows):
        return "YES"
    if abs(total([row for row in outcome.all_rows if row.in_overall]) - 100.0) < 0.1 or not outcome.subgroups:
        return "YES"
    return "SUB"


def _weights(outcome: Outcome, close: Close) -> int:
    """How many rows have the stored weight under the outcome's settings."""
    if outcome.settings.totals == "YES":
        parts = [[row for row in outcome.all_rows if row.in_overall]]
    else:
        parts = [[row for row in s.rows if row.in_subgroup] for s in outcome.subgroups]
    hits = 0
    for rows in parts:
        for row, found in zip(rows, analyse(outcome, rows).rows, strict=True):
            stored = number(row.stored.get("weight"))
            if stored is not None and found is not None and "weight" in found:
                hits += close(found["weight"], stored)
    return hits
