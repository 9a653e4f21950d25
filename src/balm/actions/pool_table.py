"""From a table of studies in a file to a pooled result and its figures, every problem named by file, row and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import balm
from balm.actions.tables_in import TextTable, read_table, shortened
from balm.stats.arrays import np
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.measures import MEASURES
from balm.stats.measures.measure import Measure
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.problems import InputError, Problem, check_option
from balm.vocabulary.quick_dataclass import dataclass, replace

if TYPE_CHECKING:
    from pathlib import Path

#: Ways to pool, and the public function of each; the options it takes are those of its signature.
METHODS = {"inverse-variance": "pool", "mantel-haenszel": "mantel_haenszel", "peto": "peto"}

#: Options that make effect sizes; the others belong to pooling.
EFFECT_OPTIONS = ("add", "to", "drop_double_zero", "variance_type", "small_sample", "missing", "counts", "zero_sd")

#: The column of study labels unless another one is named.
STUDY = "study"


@dataclass(frozen=True, eq=False)
class PooledTable:
    """``fit`` over all studies; ``groups`` is the subgroup result when the table was split ``by`` a column."""

    table: TextTable
    effects: EffectSizes
    fit: Pooled
    groups: Any = None
    by: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def pool_table(
    path: str | Path | TextTable,
    *,
    measure: str,
    method: str = "inverse-variance",
    study: str | None = None,
    by: str | None = None,
    **options: Any,
) -> PooledTable:
    """Read ``path`` (or take a table that was read), compute the effects of ``measure`` and pool them.

    The columns are called as the arguments of :func:`balm.effect_sizes` (``events_1``, ``n_1`` ...); ``study`` names
    the column of labels ("study" when there is one), ``by`` a column to split by. ``options`` go to
    :func:`balm.effect_sizes` and to the pooling function of ``method``; one that does not apply is an error.
    """
    check_option("method", method, list(METHODS))
    row = MEASURES[check_option("measure", measure, list(MEASURES))]
    _refuse_options_that_do_not_apply(method, options)
    table = path if isinstance(path, TextTable) else read_table(path)
    for name in (study, by):
        if name is not None and name not in table.columns:
            raise InputError(Problem(f"has no column {name!r}; it has {', '.join(table.columns)}", file=table.file))
    columns = _columns(table, row)
    values = _numbers(table, columns)
    labels = _labels(table, study)
    _refuse_repeated_rows(table, study or STUDY, columns, by)
    if options.get("missing") == "drop":
        kept = np.isfinite(np.sum(list(values.values()), axis=0))
        if not kept.any():
            raise InputError(Problem(f"every row has an empty cell among {', '.join(columns)}", file=table.file))
        dropped = tuple(label for label, keep in zip(labels, kept, strict=True) if not keep)
        table = table.only(kept.tolist())
        values = {name: column[kept] for name, column in values.items()}
        labels = [label for label, keep in zip(labels, kept, strict=True) if keep]
    else:
        dropped = ()
    making = {name: options[name] for name in EFFECT_OPTIONS if name in options}
    pooling = {name: value for name, value in options.items() if name not in EFFECT_OPTIONS}
    with _placed(table):
        effects = effect_sizes(measure, study=labels, **making, **values)
    groups = None if by is None else _groups(table, by)
    fit, split = _pooled(method, effects, groups, pooling)
    notes = [*_notes(table, row, columns), *(f"{name}: left out, a value is missing" for name in dropped)]
    return PooledTable(table=table, effects=effects, fit=fit, groups=split, by=groups, notes=tuple(notes))


def _pooled(
    method: str,
    effects: EffectSizes,
    groups: tuple[str, ...] | None,
    pooling: Mapping[str, Any],
) -> tuple[Pooled, Any]:
    if groups is not None:
        split = balm.subgroups(effects, by=list(groups), method=method, **pooling)
        return split.overall, split
    return getattr(balm, METHODS[method])(effects, **pooling), None


def _refuse_options_that_do_not_apply(method: str, options: Mapping[str, Any]) -> None:
    takes = set(getattr(balm, METHODS[method]).__kwdefaults__) | set(EFFECT_OPTIONS)
    problems = [
        Problem(f"{name} has no effect with method {method!r}; leave it out (given: {value!r})")
        for name, value in options.items()
        if name not in takes
    ]
    if problems:
        raise InputError(problems)


def _columns(table: TextTable, row: Measure) -> list[str]:
    """The columns of the table that the measure uses: those it needs, and the first complete alternative."""
    absent = [name for name in row.columns if name not in table.columns]
    chosen = list(row.columns)
    if row.one_of:
        complete = [group for group in row.one_of if all(name in table.columns for name in group)]
        if complete:
            chosen += complete[0]
        else:
            absent.append(" or ".join(" with ".join(group) for group in row.one_of))
    if absent:
        reason = (
            f"{row.code} ({row.name}) needs the columns {row.takes}; not found: {', '.join(absent)}; "
            f"the table has {', '.join(table.columns)}"
        )
        raise InputError(Problem(reason, file=table.file))
    return chosen


def _numbers(table: TextTable, columns: list[str]) -> dict[str, Any]:
    problems: list[Problem] = []
    values = {}
    for name in columns:
        read, wrong = table.read_numbers(name)
        values[name] = np.array(read)
        problems += wrong
    if problems:
        problems.sort(key=lambda problem: problem.row or 0)
        raise InputError(shortened(problems))
    return values


def _labels(table: TextTable, study: str | None) -> list[str]:
    name = study or (STUDY if STUDY in table.columns else None)
    cells = [""] * len(table) if name is None else table.text(name)
    return [cell or f"Study {number}" for cell, number in zip(cells, table.row_numbers, strict=True)]


def _groups(table: TextTable, by: str) -> tuple[str, ...]:
    cells = table.text(by)
    problems = [
        table.problem(i, by, "is empty; every study needs a subgroup") for i, cell in enumerate(cells) if not cell
    ]
    if problems:
        raise InputError(shortened(problems))
    return tuple(cells)


def _refuse_repeated_rows(table: TextTable, study: str, columns: list[str], by: str | None) -> None:
    """A study entered twice counts twice: the same label with the same numbers is refused, by both row numbers."""
    if study not in table.columns:
        return
    keys = [name for name in (study, by, *columns) if name is not None]
    seen: dict[tuple[str, ...], int] = {}
    problems = []
    for i, cells in enumerate(zip(*(table.text(name) for name in keys), strict=True)):
        if cells in seen and cells[0]:
            first = table.row_numbers[seen[cells]]
            reason = f"{cells[0]!r} repeats row {first} with the same numbers; a study counts once: remove one of them"
            problems.append(table.problem(i, study, reason))
        seen.setdefault(cells, i)
    if problems:
        raise InputError(shortened(problems))


@contextmanager
def _placed(table: TextTable) -> Iterator[None]:
    """Problems that name a row of the arrays are given the file and the row of the table."""
    try:
        yield
    except InputError as error:
        placed = [
            problem
            if problem.row is None
            else replace(
                problem, file=table.file, row=table.row_numbers[problem.row - 1], line=table.lines[problem.row - 1]
            )
            for problem in error.problems
        ]
        raise InputError(shortened(placed)) from None


def _notes(table: TextTable, row: Measure, columns: list[str]) -> list[str]:
    """What was read in a way the writer may not have meant."""
    notes = []
    if table.decimal_comma:
        notes.append(f"{table.file}: commas in numbers were read as decimal commas")
    unused = [
        group for group in row.one_of if all(n in table.columns for n in group) and not set(group) <= set(columns)
    ]
    if unused:
        others = ", ".join(name for group in unused for name in group)
        used = ", ".join(name for name in columns if name not in row.columns)
        notes.append(f"{table.file}: {used} was used; {others} not")
    return notes
