"""How the columns of somebody's file become rows of the registry: a mapping, read strictly from TOML.

A file whose header is the header of one of our tables needs none. Otherwise ``[[rows]]`` says for each table which
column of the file fills which column of the registry, ``[words.COLUMN]`` translates words, ``[units]`` names the unit
of a column, ``date_format`` and ``decimal`` say how days and numbers are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files as package_files

from balm.registry.tables import TABLE_BY_NAME, TABLES
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.table_columns import Table
from balm.vocabulary.table_text import unknown_name
from balm.vocabulary.toml_text import load_toml

#: Factors that turn an imported number into the registry's unit; exact by definition (a pound is 0.45359237 kg).
CONVERSIONS = {
    ("lb", "kg"): "0.45359237",
    ("g", "kg"): "0.001",
    ("g", "mg"): "1000",
    ("ug", "mg"): "0.001",
    ("mcg", "mg"): "0.001",
    ("mo", "a"): None,  # a month is no fixed part of a year: refused, with the reason
}
_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class RowsFrom:
    """One ``[[rows]]``: what fills the columns of ``table``."""

    table: str
    columns: dict[str, str]
    fixed: dict[str, str] = field(default_factory=dict)
    when: tuple[str, ...] = ()
    each_visit: bool = False
    where: dict[str, str] = field(default_factory=dict)  # only lines with these cells make a row
    optional: bool = False  # columns the file does not have stay empty (the bundled cohort mapping)

    def wanted(self, column: str) -> tuple[str, ...]:
        """The columns of the file that fill a column of the registry."""
        text = self.columns[column]
        return tuple(_FIELD.findall(text.replace("{visit}", ""))) if self._made(text) else (text,)

    @staticmethod
    def _made(text: str) -> bool:
        """Whether a text is made of columns, rather than the name of one."""
        return bool(_FIELD.findall(text.replace("{visit}", "")))


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping. ``name`` is where it stands, for messages."""

    name: str
    rows: tuple[RowsFrom, ...]
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    date_format: str = ""
    decimal: str = "."


def read_mapping(text: str, *, name: str) -> Mapping:
    """The mapping in ``text``; every unknown field, table and column is named at once."""
    try:
        data = load_toml(text)
    except ValueError as error:
        raise InputError(Problem(f"cannot be read as TOML: {error}", file=name)) from None
    problems: list[Problem] = []

    def wrong(place: str, reason: str) -> None:
        problems.append(Problem(reason, file=name, column=place))

    known = ("rows", "words", "units", "date_format", "decimal")
    for key in data:
        if key not in known:
            wrong(key, unknown_name("a field of a mapping", key, known))
    rows: list[RowsFrom] = []
    given = data.get("rows")
    if not isinstance(given, list) or not given:
        wrong("rows", "needs at least one [[rows]] with table and columns")
        given = []
    for number, one in enumerate(given, start=1):
        place = f"rows {number}"
        if not isinstance(one, dict):
            wrong(place, "must be a table")
            continue
        for key in one:
            if key not in ("table", "columns", "fixed", "when", "where", "each_visit"):
                wrong(f"{place}.{key}", "is not a field of [[rows]]: table, columns, fixed, when, where, each_visit")
        table = TABLE_BY_NAME.get(str(one.get("table")))
        if table is None:
            wrong(f"{place}.table", unknown_name("a table", str(one.get("table")), list(TABLE_BY_NAME)))
            continue
        columns, fixed, when = one.get("columns", {}), one.get("fixed", {}), one.get("when", [])
        names = [c.name for c in table.columns]
        for part, cells in (("columns", columns), ("fixed", fixed)):
            if not isinstance(cells, dict) or not all(isinstance(v, str) for v in cells.values()):
                wrong(f"{place}.{part}", "must be texts by column")
                continue
            for column in cells:
                if column not in names:
                    wrong(f"{place}.{part}.{column}", unknown_name(f"a column of {table.file}", column, names))
        if not isinstance(when, list) or not all(isinstance(w, str) for w in when):
            wrong(f"{place}.when", "must be a list of columns of the file")
        where = one.get("where", {})
        if not isinstance(where, dict) or not all(isinstance(w, str) for w in where.values()):
            wrong(f"{place}.where", 'must be column of the file = "cell"')
        if not problems:
            rows.append(RowsFrom(table.attribute, columns, fixed, tuple(when), one.get("each_visit") is True, where))
    words, units = data.get("words", {}), data.get("units", {})
    if not isinstance(words, dict) or not all(isinstance(w, dict) for w in words.values()):
        wrong("words", 'must be [words.COLUMN] with "theirs" = "ours"')
    if not isinstance(units, dict) or not all(isinstance(u, str) for u in units.values()):
        wrong("units", 'must be column = "unit"')
    if data.get("decimal", ".") not in (".", ","):
        wrong("decimal", "must be '.' or ','")
    if not isinstance(data.get("date_format", ""), str):
        wrong("date_format", "must be text such as '%d/%m/%Y'")
    if problems:
        raise InputError(problems)
    return Mapping(name, tuple(rows), words, units, data.get("date_format", ""), data.get("decimal", "."))


def mapping_for(header: Sequence[str], *, file: str, table: str | None = None) -> Mapping:
    """The mapping that a header explains by itself: one of our tables, or the bundled cohort table.

    >>> mapping_for(["participant", "site", "enrolled"], file="x.csv").rows[0].table
    'participants'
    """
    if table is not None:
        if table not in TABLE_BY_NAME:
            raise InputError(unknown_name("a table of a registry", table, list(TABLE_BY_NAME)))
        return _as_it_stands(TABLE_BY_NAME[table], header, file)
    fitting = [
        t
        for t in TABLES
        if set(header) <= {c.name for c in t.columns} and {c.name for c in t.columns if c.required} <= set(header)
    ]
    if len(fitting) == 1:
        return _as_it_stands(fitting[0], header, file)
    cohort = cohort_mapping()
    known = {name for rows in cohort.rows for column in rows.columns for name in rows.wanted(column)}
    if {"participant", "course"} <= set(header) and len(set(header) & known) > 2:
        return cohort
    if nearest := _nearest(header, file):
        raise InputError(nearest)
    raise InputError(
        Problem(
            f"its header is that of no table of the registry nor of the cohort table: {', '.join(header)[:200]}; "
            "say with a mapping (--mapping FILE.toml) which column fills what (see docs/how-to/keep-a-registry.md)",
            file=file,
            line=1,
        )
    )


def _nearest(header: Sequence[str], file: str) -> list[Problem]:
    """What keeps a header from being that of the one table it is most like; nothing where it is like none."""
    names = {t: {c.name for c in t.columns} for t in TABLES}
    alike = sorted(TABLES, key=lambda t: len(names[t] & set(header)), reverse=True)
    first, second = (len(names[t] & set(header)) for t in alike[:2])
    if first < 3 or first == second:
        return []
    table = alike[0]
    way = "; a mapping (--mapping FILE.toml) says which column fills what"
    missing = [
        Problem(f"is needed in {table.file}, which this header is most like{way}", file=file, column=c.name, line=1)
        for c in table.columns
        if c.required and c.name not in header
    ]
    return missing + [
        Problem(
            f"{unknown_name(f'a column of {table.file}', h, sorted(names[table]))}{way}", file=file, column=h, line=1
        )
        for h in header
        if h not in names[table]
    ]


def cohort_mapping() -> Mapping:
    """The bundled mapping of a table with a line for each patient or infusion."""
    text = (package_files("balm.registry") / "cohort.toml").read_text("utf-8")
    found = read_mapping(text, name="cohort.toml")
    rows = tuple(replace(r, optional=True) for r in found.rows)
    return Mapping(found.name, rows)


def _as_it_stands(table: Table, header: Sequence[str], file: str) -> Mapping:
    names = [c.name for c in table.columns]
    problems = [
        Problem(unknown_name(f"a column of {table.file}", h, names), file=file, column=h, line=1)
        for h in header
        if h not in names
    ]
    if problems:
        raise InputError(problems)
    return Mapping(file, (RowsFrom(table.attribute, {h: h for h in header}, optional=True),))
