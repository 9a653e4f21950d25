"""Bring a table into a clinic's registry with a mapping, dry or for good; take the registry out."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Mapping as Cells
from dataclasses import replace
from pathlib import Path

from django.db import transaction

from balm.actions.clinic.acting import ClinicActing, clock
from balm.actions.registry_import import read_sheet
from balm.registry.definition import FILE
from balm.registry.exports.fhir import fhir_text
from balm.registry.exports.omop import omop_files
from balm.registry.exports.redcap import redcap_files
from balm.registry.importing import Plan, Sheet, plan_import
from balm.registry.mapping import Mapping, RowsFrom, mapping_for, read_mapping
from balm.registry.reading import registry_tables
from balm.registry.tables import TABLE_BY_NAME, TABLES
from balm.report.registry.workbook import registry_workbook
from balm.store.events.chain import append_event, lock_chain
from balm.store.registry.current import definition_of, key_of_row, registry_from, registry_of, rows_of
from balm.store.registry.models import Definition, Entry
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.table_text import as_cell

#: Bytes of a table that is brought in through a page.
MOST_BYTES = 3 * 1024**2
FORMATS = ("tables", "fhir", "omop", "redcap", "excel")


def sheet_of(name: str, data: bytes) -> Sheet:
    """The table in an uploaded file; its name stands in every message."""
    if len(data) > MOST_BYTES:
        raise InputError(
            f"{name} holds {len(data) / 1024**2:.1f} MB; at most {MOST_BYTES // 1024**2} MB come in at once"
        )
    shown = Path(name.replace("\\", "/")).name[-80:].replace("\x00", "") or "table.csv"
    if not shown.lower().endswith((".csv", ".tsv", ".xlsx", ".xlsm")):
        raise InputError(f"{shown}: bring a .csv, .tsv or .xlsx file")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / shown
        path.write_bytes(data)
        try:
            return read_sheet(path)
        except InputError as error:  # by the name it was sent under, not by where this server laid it down
            raise InputError([replace(p, file=shown) if p.file == str(path) else p for p in error.problems]) from None


def mapping_from(
    sheet: Sheet, *, table: str = "", columns: Cells[str, str] | None = None, text: str = "", date_format: str = "",
    decimal: str = ".",
) -> Mapping:  # fmt: skip
    """How the file's columns fill ours: from a page's menus (ours -> theirs), from TOML, or as its header explains."""
    if text.strip():
        return read_mapping(text, name="mapping")
    filled = {ours: theirs for ours, theirs in (columns or {}).items() if theirs}
    if table and filled:
        check_option("table", table, list(TABLE_BY_NAME))
        check_option("decimal", decimal, [".", ","])
        return Mapping("the mapping", (RowsFrom(table, filled),), {}, {}, date_format, decimal)
    return mapping_for(sheet.header, file=sheet.file, table=table or None)


def plan(acting: ClinicActing, sheet: Sheet, mapping: Mapping) -> Plan:
    """A dry run: what would be added, and everything that speaks against it, by row and column."""
    acting.check("clinic import")
    registry = registry_of(acting.clinic)
    return plan_import(registry, sheet, mapping, today=clock(registry.definition).date())


@transaction.atomic
def bring_in(acting: ClinicActing, sheet: Sheet, mapping: Mapping, data: bytes) -> Plan:
    """The import for good: on any problem nothing is saved."""
    acting.check("clinic import")
    lock_chain(acting.clinic.key)
    definition, rows = definition_of(acting.clinic), rows_of(acting.clinic)
    found = plan_import(registry_from(definition, rows), sheet, mapping, today=clock(definition).date())
    if found.problems:
        raise InputError(found.problems)
    person_of = {c.course: c.participant for c in found.registry.courses}
    course_of = {s.session: s.course for s in found.registry.sessions}
    made = []
    for table in TABLES:
        for row in getattr(found.registry, table.attribute):
            cells = {c.name: text for c in table.columns if (text := as_cell(getattr(row, c.name)))}
            key = key_of_row(table, cells)
            if key in rows[table.attribute]:
                continue
            course = cells.get("course") or course_of.get(cells.get("session", ""), "")
            who = cells.get("participant") or person_of[course]
            made.append(Entry(clinic=acting.clinic, table=table.attribute, key=key, participant=who, cells=cells,
                              code=acting.code))  # fmt: skip
    Entry.objects.bulk_create(made, batch_size=500)
    append_event(
        acting.clinic.key, acting.actor, "import", "file", sheet.file,
        after={"sha256": hashlib.sha256(data).hexdigest(), "added": found.added,
               "rows": [{"table": e.table, "cells": e.cells} for e in made]},
    )  # fmt: skip
    return found


def registry_zip(acting: ClinicActing, to: str) -> bytes:
    """The clinic's registry as a ZIP: its own tables, FHIR R4B, OMOP or a REDCap project. Nobody's name is in it."""
    acting.check("clinic export")
    check_option("to", to, FORMATS)
    registry = registry_of(acting.clinic)
    files: dict[str, str | bytes]
    if to == "tables":
        kept = Definition.objects.filter(clinic=acting.clinic).latest("number")
        files = {FILE: kept.text, **kept.instruments, **registry_tables(registry)}
    elif to == "fhir":
        files = {"bundle.json": fhir_text(registry)}
    elif to == "excel":
        files = {"registry.xlsx": registry_workbook(registry)}
    else:
        files = dict(omop_files(registry) if to == "omop" else redcap_files(registry))
    with transaction.atomic():
        append_event(acting.clinic.key, acting.actor, "export", "registry", to)
    mark = "simulated-" if acting.clinic.simulated and to != "tables" else ""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(f"{mark}{name}", text)
    return out.getvalue()
