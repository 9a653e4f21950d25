"""Fields of a form from the columns of a table: label, unit, range and choices stand in one place, the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from balm.registry.definition import Definition, Instrument
from balm.registry.quantities import QUANTITIES
from balm.registry.tables import TABLE_BY_NAME
from balm.vocabulary.table_columns import Column

#: Kind of cell -> type of input; numbers are typed as text with the keyboard of numbers, so that "7,5" can be refused
#: by name rather than dropped by the browser.
TYPES = {"date": "date", "moment": "datetime-local"}
NUMBERS = ("number", "positive", "decimal", "count", "size", "year", "level")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: what it is called, what it asks, and what it holds now."""

    name: str
    label: str
    value: str = ""
    type: str = "text"
    mode: str = ""
    unit: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = field(default=())


def fields_of(
    table: str, names: Iterable[str], *, values: Mapping[str, str] | None = None, definition: Definition | None = None,
    required: Iterable[str] = (), optional: Iterable[str] = (),
) -> list[Field]:  # fmt: skip
    """The fields of some columns of a table; ``required`` and ``optional`` say what this form asks beyond the table."""
    values, must, may = values or {}, set(required), set(optional)
    found = [_field(TABLE_BY_NAME[table].column(n), values.get(n, ""), definition, n in must) for n in names]
    return [replace(f, required=False) if f.name in may else f for f in found]


def vitals(values: Mapping[str, str] | None = None) -> list[Field]:
    """A field for each quantity of the list."""
    values = values or {}
    return [
        Field(q.name, q.label, values.get(q.name, ""), mode="text" if q.low < 0 else "decimal",
              unit="" if q.unit == "{score}" else q.unit)
        for q in QUANTITIES.values()
    ]  # fmt: skip


def questions(instruments: Iterable[Instrument], values: Mapping[tuple[str, str], str] | None = None) -> list[Field]:
    """A field for each item; whole answers in words, and scales of at most eleven steps, are chosen."""
    values = values or {}
    found = []
    for instrument in instruments:
        for item in instrument.items:
            choices: tuple[tuple[str, str], ...] = ()
            if item.words:
                choices = tuple((str(int(item.low) + n), word) for n, word in enumerate(item.words))
            elif item.high - item.low <= 10 and item.low == int(item.low):
                choices = tuple((str(n), str(n)) for n in range(int(item.low), int(item.high) + 1))
            found.append(
                Field(f"answer:{instrument.id}:{item.id}", item.label, values.get((instrument.id, item.id), ""),
                      mode="decimal", required=not item.optional, choices=choices, type="scale" if choices else "text")
            )  # fmt: skip
    return found


def _field(column: Column, value: str, definition: Definition | None, must: bool) -> Field:
    choices: tuple[tuple[str, str], ...] = tuple((c, c) for c in column.allowed)
    if column.kind == "yes-no":
        choices = (("yes", "yes"), ("no", "no"))
    elif definition is not None and column.refers in ("sites", "visits", "protocols"):
        things = getattr(definition, column.refers)
        choices = tuple((t.id, getattr(t, "label", None) or getattr(t, "name", t.id)) for t in things)
    about = re.split(r"[;:]| \(UCUM\)", column.about)[0].replace("`", "").strip()
    return Field(
        column.name, about[:1].upper() + about[1:], value, TYPES.get(column.kind, "text"),
        "decimal" if column.kind in NUMBERS else "", column.unit, column.required or must, choices,
    )  # fmt: skip
