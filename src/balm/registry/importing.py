"""Rows of somebody's file as rows of the registry: planned whole, checked whole, named by their place in the file.

Nothing is guessed: a number with a unit needs that unit to be the column's, or the mapping to name it; two units in
one column are refused; a row that stands in the registry with other values is a problem, never an overwrite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Cells
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from balm.registry.checks import problems_of
from balm.registry.mapping import CONVERSIONS, Mapping, RowsFrom
from balm.registry.registry import Registry
from balm.registry.tables import TABLE_BY_NAME, TABLES
from balm.vocabulary.problems import Problem
from balm.vocabulary.table_columns import Column
from balm.vocabulary.table_text import as_cell, read_cells, unknown_name

_NUMBERS = ("number", "positive", "decimal", "count", "size")
_WITH_UNIT = re.compile(r"([-+]?(?:\d+[.,]?\d*|[.,]\d+))(?![eE][-+]?\d+$)\s*([A-Za-zµμ%][A-Za-z0-9µμ/%\[\]{}.·*-]*)")
_BARE = re.compile(r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of somebody's: its name, header, rows of text, and the number of each (1 = first under the header)."""

    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """What an import would do: the registry after it, rows added and found there, by table; and what is wrong."""

    registry: Registry
    added: dict[str, int]
    there: dict[str, int]
    problems: tuple[Problem, ...]
    read: int = 0
    unused: tuple[str, ...] = ()  # columns of the file that the mapping does not use


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a planned row comes from: the row of the file, and the file's column for each of ours."""

    row: int
    columns: Cells[str, str]


def plan_import(registry: Registry, sheet: Sheet, mapping: Mapping, *, today: date | None = None) -> Plan:
    """The registry with the rows of ``sheet``, and everything that speaks against saving it."""
    problems = _columns_there(sheet, mapping, registry)
    if problems:
        return Plan(registry, {}, {}, tuple(problems), len(sheet.rows))
    lines = [dict(zip(sheet.header, cells, strict=False)) for cells in sheet.rows]
    for number, cells in zip(sheet.numbers, sheet.rows, strict=True):
        if len(cells) != len(sheet.header):
            reason = f"has {len(cells)} cells, not the {len(sheet.header)} of the header"
            problems.append(Problem(reason, file=sheet.file, row=number))
    units = _units(sheet, lines, mapping, registry, problems)
    standing: dict[str, dict[tuple[str, ...], Any]] = {
        t.attribute: {_key(r, t.key): r for r in getattr(registry, t.attribute)} for t in TABLES
    }
    before = {name: set(rows) for name, rows in standing.items()}
    places: dict[tuple[str, int], _Place] = {}
    there = {t.attribute: 0 for t in TABLES}
    visits = [v.id for v in registry.definition.visits]
    for number, line in zip(sheet.numbers, lines, strict=True):
        for rule in mapping.rows:
            for visit in visits if rule.each_visit else [""]:
                made = _row(rule, line, visit, mapping, units)
                if made is None:
                    continue
                texts, columns = made
                table = TABLE_BY_NAME[rule.table]
                values, wrong = read_cells(texts, table, row=number, file=sheet.file)
                for problem in wrong:
                    problems.append(replace(problem, column=columns.get(problem.column, problem.column)))
                if wrong:
                    continue
                key = tuple(texts.get(name, "") for name in table.key)
                old = standing[rule.table].get(key)
                if old is None:
                    place = len(standing[rule.table]) + 1
                    standing[rule.table][key] = table.row(**values, row=place)
                    places[table.file, place] = _Place(number, columns)
                    continue
                differs = [c.name for c in table.columns if as_cell(getattr(old, c.name)) != as_cell(values[c.name])]
                if differs:
                    name = differs[0]
                    where = places.get((table.file, old.row))
                    place_of_old = f"row {where.row} of this file" if where else f"{table.file}, row {old.row}"
                    reason = (
                        f"{rule.table} {' '.join(key)!r} stands in {place_of_old} with {name} "
                        f"{as_cell(getattr(old, name))!r}; here it is {as_cell(values[name])!r}; nothing is overwritten"
                    )
                    problems.append(Problem(reason, file=sheet.file, row=number, column=columns.get(name, name)))
                elif key in before[rule.table]:
                    there[rule.table] += 1
    rows = {name: tuple(found.values()) for name, found in standing.items()}
    after = Registry(registry.definition, **rows)
    # Rows with a cell that cannot be read are left out; what refers to them is not blamed as well.
    for problem in problems_of(after, today=today, references_too=not problems):
        origin = places.get((problem.file, problem.row or 0))
        if origin is None:
            problems.append(problem)
        else:
            column = origin.columns.get(problem.column, problem.column)
            problems.append(replace(problem, file=sheet.file, row=origin.row, column=column))
    problems = sorted(dict.fromkeys(problems), key=lambda p: (p.row is not None, p.row or 0))
    added = {name: len(rows[name]) - len(before[name]) for name in rows}
    return Plan(
        after,
        added,
        {k: v for k, v in there.items() if v},
        tuple(problems),
        len(lines),
        _unused(sheet, mapping, registry),
    )


def _key(row: Any, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(as_cell(getattr(row, name)) for name in names)


def _columns_there(sheet: Sheet, mapping: Mapping, registry: Registry) -> list[Problem]:
    """Columns that the mapping names and the file does not have; columns twice."""
    problems = []
    for name in sorted({h for h in sheet.header if sheet.header.count(h) > 1}):
        problems.append(Problem("the column stands in the header more than once", file=sheet.file, column=name, line=1))
    if all(rule.optional for rule in mapping.rows):
        known = sorted(_used(mapping, registry))
        for name in _unused(sheet, mapping, registry):
            reason = unknown_name("a column of the cohort table", name, known)
            problems.append(Problem(reason, file=sheet.file, column=name, line=1))
    for rule in mapping.rows:
        if rule.optional:
            continue
        visits = [v.id for v in registry.definition.visits] if rule.each_visit else [""]
        for name in rule.where:
            if name not in sheet.header:
                reason = unknown_name(f"a column of {sheet.file}", name, sheet.header)
                problems.append(Problem(reason, file=mapping.name, column=f"{rule.table}.where"))
        for column in rule.columns:
            for name in rule.wanted(column):
                if name in sheet.header or name == "visit" or "{visit}" in rule.columns[column]:
                    continue
                if rule.each_visit and any(name.replace("{visit}", v) in sheet.header for v in visits):
                    continue
                reason = unknown_name(f"a column of {sheet.file}", name, sheet.header)
                problems.append(Problem(reason, file=mapping.name, column=f"{rule.table}.{column}"))
    return problems


def _used(mapping: Mapping, registry: Registry) -> set[str]:
    """Every column of the file that the mapping looks at."""
    visits = [v.id for v in registry.definition.visits]
    return {
        _source(name, visit)
        for rule in mapping.rows
        for visit in (visits if rule.each_visit else [""])
        for name in (*rule.when, *rule.where, *(name for column in rule.columns for name in rule.wanted(column)))
    }


def _unused(sheet: Sheet, mapping: Mapping, registry: Registry) -> tuple[str, ...]:
    used = _used(mapping, registry)
    return tuple(name for name in sheet.header if name not in used)


def _source(text: str, visit: str) -> str:
    return text.replace("{visit}", visit)


def _row(
    rule: RowsFrom, line: Cells[str, str], visit: str, mapping: Mapping, units: Cells[str, str]
) -> tuple[dict[str, str], dict[str, str]] | None:
    """The cells of one row as text with the file's column of each, or ``None`` where the line makes none."""
    if not all(line.get(_source(name, visit), "").strip() for name in rule.when):
        return None
    if any(line.get(name, "").strip() != cell for name, cell in rule.where.items()):
        return None
    texts, columns = dict(rule.fixed), {}
    if rule.each_visit:
        texts["visit"] = visit
    table = TABLE_BY_NAME[rule.table]
    for name, given in rule.columns.items():
        text = _source(given, visit)
        if "{" in text:
            wanted = re.findall(r"\{([^{}]+)\}", text)
            columns[name] = wanted[0] if wanted else text
            made = text
            for part in wanted:
                cell = line.get(part, "").strip()
                made = made.replace(f"{{{part}}}", cell) if cell and made else ""
            texts[name] = made
            if table.column(name).kind == "id":
                texts[name] = re.sub(r"[^A-Za-z0-9._-]+", "-", texts[name]).strip("-")
            continue
        columns[name] = text
        if text not in line:
            continue
        cell = line[text].strip()
        cell = mapping.words.get(text, {}).get(cell, cell)
        texts[name] = _plain(cell, table.column(name), mapping, units.get(text, ""))
    if not any(texts.get(name) for name in rule.columns if name in columns):
        return None
    return texts, columns


def _plain(cell: str, column: Column, mapping: Mapping, unit: str) -> str:
    """A cell in the registry's spelling; what cannot be read is left as it is, for the reader to name."""
    if not cell:
        return cell
    if column.kind in _NUMBERS:
        match = _WITH_UNIT.fullmatch(cell)
        number = match[1] if match and unit else cell
        if mapping.decimal == "," and re.fullmatch(r"[-+]?\d+,\d+", number):
            number = number.replace(",", ".")
        factor = CONVERSIONS.get((unit, column.unit)) if unit and column.unit else None
        if factor is not None:
            try:
                return f"{(Decimal(number) * Decimal(factor)).normalize():f}"
            except InvalidOperation:
                return cell
        return number
    if column.kind in ("date", "moment") and mapping.date_format:
        for fmt in (mapping.date_format, f"{mapping.date_format} %H:%M"):
            try:
                moment = datetime.strptime(cell, fmt)
            except ValueError:
                continue
            return moment.date().isoformat() if column.kind == "date" else moment.isoformat(timespec="minutes")
    return cell


def _units(
    sheet: Sheet, lines: Sequence[Cells[str, str]], mapping: Mapping, registry: Registry, problems: list[Problem]
) -> dict[str, str]:
    """The unit of each column of numbers of the file: one for all its cells, and one the registry can take."""
    found: dict[str, str] = {}
    wanted: dict[str, list[tuple[RowsFrom, str, Column]]] = {}
    for rule in mapping.rows:
        for name, text in rule.columns.items():
            column = TABLE_BY_NAME[rule.table].column(name)
            for visit in [v.id for v in registry.definition.visits] if rule.each_visit else [""]:
                source = _source(text, visit)
                if column.kind in _NUMBERS and "{" not in source:
                    wanted.setdefault(source, []).append((rule, name, column))
    for source, uses in wanted.items():
        seen: dict[str, list[int]] = {}
        for number, line in zip(sheet.numbers, lines, strict=True):
            cell = line.get(source, "").strip()
            match = _WITH_UNIT.fullmatch(cell)
            if match:
                seen.setdefault(match[2].replace("µ", "u").replace("μ", "u"), []).append(number)
            elif _BARE.fullmatch(cell):
                seen.setdefault("", []).append(number)
        if len(seen) > 1:
            said = " and ".join(
                f"{unit or 'no unit'} (row{_rows(at)})" for unit, at in sorted(seen.items(), key=lambda kv: not kv[0])
            )
            reason = f"holds numbers in {said}: one column has one unit"
            problems.append(Problem(reason, file=sheet.file, column=source))
            found[source] = "more than one"
            continue
        written = next(iter(seen), "")
        named = mapping.units.get(source, "")
        if written and named and written != named:
            reason = f"is written in {written}, and the mapping says {named}"
            problems.append(Problem(reason, file=sheet.file, column=source))
            continue
        unit = written or named
        if not unit:
            continue
        for rule, name, column in uses:
            beside = rule.fixed.get(f"{name}_unit")
            target = column.unit or beside or ""
            if unit == target or (not target and _unit_beside(rule, name, lines, unit)):
                continue
            if CONVERSIONS.get((unit, target)):
                continue
            reason = (
                f"is in {unit}; {rule.table}.{name} is in {target or f'the unit of {name}_unit'}; no conversion is made"
            )
            problems.append(Problem(reason, file=sheet.file, column=source))
        found[source] = unit
    return found


def _unit_beside(rule: RowsFrom, name: str, lines: Sequence[Cells[str, str]], unit: str) -> bool:
    """Whether a column of units of the file agrees with the unit written in the cells."""
    column = rule.columns.get(f"{name}_unit")
    return column is not None and all(line.get(column, "").strip() in ("", unit) for line in lines)


def _rows(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(n) for n in numbers[:3]) + (" ..." if len(numbers) > 3 else "")
    return f"{'s' if len(numbers) > 1 else ''} {shown}"
