"""A registry as a REDCap project (data dictionary and records with repeating instruments), and back.

Participants are the form that does not repeat; every other table is a repeating instrument of the participant. A
field is called after its table and column; the code of a choice is its word in lower case letters, digits and
underscores. The records can be imported into REDCap and come back from it unchanged: the whole registry, consents
included. Projects made by others come in through their data dictionary, which turns codes into words, and a mapping.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from balm.registry.importing import Sheet
from balm.registry.mapping import Mapping as ColumnMapping
from balm.registry.mapping import RowsFrom
from balm.registry.registry import Registry
from balm.registry.tables import PARTICIPANTS, TABLES
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.table_columns import Column, Table
from balm.vocabulary.table_text import as_cell

DICTIONARY = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
RECORD, INSTRUMENT, INSTANCE = "record_id", "redcap_repeat_instrument", "redcap_repeat_instance"
#: Kind of cell -> REDCap's validation of a text field.
VALIDATION = {
    "date": "date_ymd",
    "moment": "datetime_seconds_ymd",
    "number": "number",
    "positive": "number",
    "decimal": "number",
    "count": "integer",
    "size": "integer",
    "year": "integer",
}
#: Short names, because REDCap advises 26 characters at most.
SHORT = {"participants": "part", "adverse_events": "event", "observations": "obs", "assessments": "assess"}


def field_name(table: Table, column: str) -> str:
    """The REDCap field of a column.

    >>> from balm.registry.tables import SESSIONS
    >>> field_name(SESSIONS, "weight_kg")
    'sessions_weight_kg'
    """
    return f"{SHORT.get(table.attribute, table.attribute)}_{column}"


def code_of(word: str) -> str:
    """The code of a choice.

    >>> code_of("mg/kg/h"), code_of("S(+)")
    ('mg_kg_h', 's')
    """
    return re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")


def redcap_files(registry: Registry) -> dict[str, str]:
    """``data_dictionary.csv`` and ``records.csv`` (raw codes), as REDCap's own import reads them."""
    return {"data_dictionary.csv": _dictionary(registry), "records.csv": _records(registry)}


def _columns(table: Table) -> list[Column]:
    """The columns that are fields: who the participant is, is the record."""
    return [c for c in table.columns if c.name != "participant"]


def _dictionary(registry: Registry) -> str:
    mark = "SIMULATED: no patient, no clinic" if registry.definition.simulated else ""
    rows = [
        {"Variable / Field Name": RECORD, "Form Name": PARTICIPANTS.attribute, "Field Type": "text",
         "Field Label": "Pseudonym of the participant", "Field Note": mark}
    ]  # fmt: skip
    for table in TABLES:
        for c in _columns(table):
            row = {
                "Variable / Field Name": field_name(table, c.name), "Form Name": table.attribute, "Field Type": "text",
                "Field Label": re.sub(r"[`<>]", "", c.about), "Field Note": c.unit,
                "Required Field?": "y" if c.required else "",
                "Text Validation Type OR Show Slider Number": VALIDATION.get(c.kind, ""),
                "Text Validation Min": "" if c.low is None else f"{c.low:g}",
                "Text Validation Max": "" if c.high is None else f"{c.high:g}",
            }  # fmt: skip
            if c.kind == "choice":
                row["Field Type"] = "dropdown"
                row["Choices, Calculations, OR Slider Labels"] = " | ".join(f"{code_of(w)}, {w}" for w in c.allowed)
            elif c.kind == "yes-no":
                row["Field Type"] = "yesno"
            elif c.name in ("notes", "indication", "detail"):
                row["Field Type"] = "notes"
            rows.append(row)
    return _csv(DICTIONARY, rows)


def _records(registry: Registry) -> str:
    fields = [field_name(t, c.name) for t in TABLES for c in _columns(t)]
    rows: list[dict[str, str]] = []
    instances: dict[tuple[str, str], int] = {}
    for table in TABLES:
        for row in getattr(registry, table.attribute):
            who = _participant(registry, row)
            cells = {field_name(table, c.name): _raw(c, getattr(row, c.name)) for c in _columns(table)}
            if table is PARTICIPANTS:
                rows.append({RECORD: who, **cells})
                continue
            instances[who, table.attribute] = number = instances.get((who, table.attribute), 0) + 1
            rows.append({RECORD: who, INSTRUMENT: table.attribute, INSTANCE: str(number), **cells})
    order = {p.participant: i for i, p in enumerate(registry.participants)}
    rows.sort(key=lambda r: order[r[RECORD]])
    return _csv((RECORD, INSTRUMENT, INSTANCE, *fields), rows)


def _participant(registry: Registry, row: Any) -> str:
    if hasattr(row, "participant"):
        return str(row.participant)
    course = row.course if hasattr(row, "course") else registry.session_of[row.session].course
    return registry.course_of[course].participant


def _raw(column: Column, value: Any) -> str:
    text = as_cell(value)
    if not text:
        return ""
    if column.kind == "choice":
        return code_of(text)
    if column.kind == "yes-no":
        return "1" if value else "0"
    if column.kind == "moment":
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return text


#: What the columns that are read are called in the file of the online designer, in older versions, and by the API.
_CALLED = {
    "Variable / Field Name": ("Variable / Field Name", "field_name"),
    "Field Type": ("Field Type", "field_type"),
    "Choices, Calculations, OR Slider Labels": (
        "Choices, Calculations, OR Slider Labels", "Choices OR Calculations", "Choices Calculations OR Slider Labels",
        "select_choices_or_calculations",
    ),
}  # fmt: skip
#: What records exported in labels have for 1 and 0.
_LABELS = {"yesno": ("Yes", "No"), "truefalse": ("True", "False")}
#: A box of a checkbox field is a column of its own in the records, raw or in labels.
_BOX = {"1": "yes", "0": "no", "Checked": "yes", "Unchecked": "no"}


def read_dictionary(text: str, *, name: str) -> dict[str, dict[str, str]]:
    """Field -> code -> word, from a data dictionary; ``yesno`` and ``truefalse`` fields become yes and no.

    Read are the file that the online designer writes and the metadata of the API (``field_name`` ...). A checkbox field
    has one entry for each of its boxes, called as its column in the records: ``race___1``.
    """
    try:
        return _fields_of(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))), name)
    except csv.Error as error:
        raise InputError(Problem(f"cannot be read as CSV: {error}", file=name)) from None


def _fields_of(reader: csv.DictReader[str], name: str) -> dict[str, dict[str, str]]:
    header = {(h or "").strip(): h for h in reader.fieldnames or ()}
    called = {w: next((header[n] for n in names if n in header), None) for w, names in _CALLED.items()}
    missing = [w for w, h in called.items() if h is None]
    if missing:
        raise InputError(Problem(f"is no REDCap data dictionary: it has no column {missing[0]!r}", file=name))
    of_field, of_kind, of_choices = (called[w] or "" for w in _CALLED)
    found: dict[str, dict[str, str]] = {}
    for number, row in enumerate(reader, start=1):
        field, kind = (row[of_field] or "").strip(), (row[of_kind] or "").strip().lower()
        choices: dict[str, str] = {}
        if kind in _LABELS:
            choices = {"1": "yes", "0": "no", **dict(zip(_LABELS[kind], ("yes", "no"), strict=True))}
        elif kind in ("radio", "dropdown", "checkbox"):
            for part in (row[of_choices] or "").split("|"):
                code, comma, label = part.partition(",")
                if not part.strip():
                    continue
                if not comma:
                    raise InputError(
                        Problem(f"a choice must read 'code, label'; got {part.strip()!r}", file=name, row=number,
                                column=of_choices)
                    )  # fmt: skip
                choices[code.strip()] = label.strip()
        if kind == "checkbox":
            for code in choices:
                found[box_name(field, code)] = dict(_BOX)
            choices = {}
        found[field] = choices
    return found


def box_name(field: str, code: str) -> str:
    """The column of one box of a checkbox field: lower case, anything but letters and digits as an underscore.

    >>> box_name("race", "1"), box_name("drug", "-9")
    ('race___1', 'drug____9')
    """
    return f"{field}___{re.sub(r'[^a-z0-9]', '_', code.lower())}"


def in_words(sheet: Sheet, dictionary: Mapping[str, Mapping[str, str]]) -> Sheet:
    """Records with the words of the dictionary in place of raw codes; every code it does not know is named."""
    problems: list[Problem] = []
    rows = []
    for number, cells in zip(sheet.numbers, sheet.rows, strict=True):
        told = []
        for field, cell in zip(sheet.header, cells, strict=False):
            choices = dictionary.get(field, {})
            text = cell.strip()
            if text not in choices and text.removesuffix(".0") in choices:  # programs write codes as 1.0
                text = text.removesuffix(".0")
            if text and choices and text not in choices and text not in choices.values():
                reason = f"{text!r} is no code of this field: {', '.join(choices)}"
                problems.append(Problem(reason, file=sheet.file, row=number, column=field))
            told.append(choices.get(text, text))
        rows.append(tuple(told))
    if problems:
        raise InputError(problems)
    return replace(sheet, rows=tuple(rows))


def our_mapping(header: Sequence[str]) -> ColumnMapping | None:
    """The mapping of records that this module wrote, or ``None`` where the header is another project's."""
    fields = {field_name(t, c.name) for t in TABLES for c in _columns(t)}
    if not {RECORD, INSTRUMENT} <= set(header) or not set(header) & fields:
        return None
    rows = []
    for table in TABLES:
        columns = {c.name: field_name(table, c.name) for c in _columns(table)}
        columns = {name: field for name, field in columns.items() if field in header}
        if any(c.name == "participant" for c in table.columns):
            columns["participant"] = RECORD
        if columns:
            form = "" if table is PARTICIPANTS else table.attribute
            rows.append(RowsFrom(table.attribute, columns, where={INSTRUMENT: form}))
    return ColumnMapping("REDCap", tuple(rows))


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
