"""A registry as one workbook for people to open: a sheet a table, and no cell that a spreadsheet runs.

The CSV tables, REDCap's and OMOP's files are for programs: their cells stand exactly as recorded. Whoever wants to look
at them opens this instead.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

from balm.registry.registry import Registry
from balm.registry.tables import TABLES
from balm.vocabulary.problems import InputError
from balm.vocabulary.table_text import as_cell

#: The same registry gives the same bytes.
_MADE = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def registry_workbook(registry: Registry) -> bytes:
    """Every table with rows as a sheet; numbers are numbers, and texts are texts, whatever they begin with."""
    try:
        import xlsxwriter
    except ImportError:
        raise InputError("writing .xlsx needs the xlsxwriter package: pip install 'balm[server]'") from None
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    mark = "SIMULATED: no patient, no clinic. " if registry.definition.simulated else ""
    book.set_properties({"title": f"{mark}{registry.definition.title}", "created": _MADE})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for table in TABLES:
        rows = getattr(registry, table.attribute)
        if not rows and not table.required:
            continue
        sheet = book.add_worksheet(f"{'SIM ' if mark else ''}{table.attribute}"[:31])
        sheet.freeze_panes(1, 1)
        for at, column in enumerate(table.columns):
            sheet.write_string(0, at, column.name, bold)
            sheet.set_column(at, at, max(10, min(30, len(column.name) + 2)))
        for number, row in enumerate(rows, start=1):
            for at, column in enumerate(table.columns):
                value = getattr(row, column.name)
                if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                    sheet.write_number(number, at, float(value))
                elif text := as_cell(value):
                    sheet.write_string(number, at, text)
    book.close()
    return out.getvalue()
