"""What an analysis will make of a row: each conversion with formula, source, inputs and result, beside the print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from balm.review.contrast_rows import contrast_numbers
from balm.review.contrasts import Step, numbers_used
from balm.review.extraction.fields import CONTRASTS, RESULTS
from balm.review.extraction.sheets import as_row
from balm.review.package import Meta, Package
from balm.review.plan import RATIOS
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, slots=True)
class Shown:
    """The numbers an analysis takes from a row, the steps to them, or why there are none."""

    values: Mapping[str, float]
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    why_not: str = ""


def conversions(table: str, study: Mapping[str, str], key: str, cells: Mapping[str, str], meta: Meta) -> Shown | None:
    """What becomes of a row of results or contrasts; ``None`` where there is nothing to compute yet.

    ``study``: the cells of the study's own row, of which the design counts. The reported values are never replaced.
    """
    if table not in (RESULTS, CONTRASTS):
        return None
    row = as_row(table, study.get("study", ""), key, cells)
    if table == CONTRASTS:
        if row.estimate is None:
            return None
        try:
            values, steps = contrast_numbers(row, ratio=row.measure in RATIOS)
        except InputError as error:
            return Shown({}, why_not=str(error))
        why = "" if values else "no standard error follows from what is entered: it can be shown, not pooled"
        return Shown(values, tuple(steps), why_not=why)
    if row.outcome not in {o.id for o in meta.outcomes}:
        return None
    if all(getattr(row, name) is None for name in ("mean", "median", "events")):
        return None
    package = Package(folder=Path(), meta=meta, present=frozenset())
    try:
        side = numbers_used(package, as_row("studies.csv", "", study.get("study", ""), study), row)
    except InputError as error:
        return Shown({}, why_not=str(error))
    if not side.values:
        return Shown({}, why_not=side.notes[0] if side.notes else "nothing to analyse yet")
    return Shown(side.values, side.steps, side.notes)
