"""Bring a table of somebody's into a registry: CSV or XLSX, with a mapping, dry or for good."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from balm.actions.registry_folder import load_registry, new_registry, save_registry
from balm.actions.tables_in import read_table
from balm.registry.exports.redcap import in_words, our_mapping, read_dictionary
from balm.registry.importing import Plan, Sheet, plan_import
from balm.registry.mapping import mapping_for, read_mapping
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.quick_dataclass import dataclass
from balm.vocabulary.table_text import decode

#: More rows than a spreadsheet holds.
MAX_ROWS = 1_048_576
#: Rows that come in at once: they are checked together, against each other and what is there.
MOST_ROWS = 100_000
FORMULA = "holds a formula; paste values only"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was done, or would be on a dry run: rows read, added and found there already by table, files written."""

    plan: Plan
    written: tuple[str, ...]
    dry_run: bool
    started: bool


def import_into_registry(
    folder: str | Path, file: str | Path, *, mapping: str | Path | None = None, table: str | None = None,
    redcap: str | Path | None = None, dry_run: bool = False, today: date | None = None,
) -> Imported:  # fmt: skip
    """Add the rows of ``file`` to the registry in ``folder``; on any problem nothing is saved.

    A folder that is not there yet, or empty, is started with the default definition. ``mapping`` is a TOML file;
    without one the header must be that of a table of the registry or of the cohort table. ``redcap`` is the data
    dictionary of the REDCap project that ``file`` was exported from; another project's records need a mapping as well.
    """
    sheet = read_sheet(Path(file))
    root = Path(folder)
    started = not root.exists() or (root.is_dir() and not any(root.iterdir()))
    if mapping is not None and table is not None:
        raise InputError("give --mapping or --table, not both")
    ours = None
    if redcap is not None:
        sheet = in_words(sheet, read_dictionary(_text(Path(redcap)), name=Path(redcap).name))
        ours = our_mapping(sheet.header)
        if ours is None and mapping is None:
            raise InputError("these records are of another REDCap project; say with --mapping which field fills what")
    if mapping is not None:
        path = Path(mapping)
        how = read_mapping(_text(path), name=path.name)
    elif ours is not None:
        how = ours
    else:
        how = mapping_for(sheet.header, file=sheet.file, table=table)
    before = _empty() if started else load_registry(root)
    plan = plan_import(before, sheet, how, today=today or date.today())
    if plan.problems:
        raise InputError(plan.problems)
    if dry_run:
        return Imported(plan, (), True, started)
    if started:
        new_registry(root)
    written = save_registry(root, plan.registry, before)
    return Imported(plan, tuple(written), False, started)


#: Mappings and data dictionaries are read; the largest dictionaries stay under 5 MB.
MAX_TEXT = 16 * 1024**2


def _text(path: Path) -> str:
    try:
        with path.open("rb") as source:
            data = source.read(MAX_TEXT + 1)
        if len(data) > MAX_TEXT:
            raise InputError(Problem(f"is larger than {MAX_TEXT // 1024**2} MB", file=path.name))
        text, wrong = decode(data, file=path.name)
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror}", file=str(path))) from None
    if wrong:
        raise InputError(wrong)
    return text


def _empty() -> Any:
    from balm.registry.definition import default_definition_text, read_definition
    from balm.registry.registry import Registry

    definition, problems = read_definition(default_definition_text())
    assert definition is not None, problems
    return Registry(definition)


def read_sheet(path: Path) -> Sheet:
    """The table in a CSV, TSV or XLSX file (its first sheet with cells), every cell as text."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _workbook(path)
    table = read_table(path)
    if len(table.rows) > MOST_ROWS:
        reason = f"holds {len(table.rows):,} rows; at most {MOST_ROWS:,} come in at once: split the file"
        raise InputError(Problem(reason, file=path.name))
    formulas = [
        Problem(FORMULA, file=path.name, row=number, column=table.columns[at])
        for number, cells in zip(table.row_numbers, table.rows, strict=True)
        for at, cell in enumerate(cells)
        if cell.startswith("=") and len(cell) > 1
    ]
    if formulas:
        raise InputError(formulas)
    return Sheet(path.name, table.columns, table.rows, table.row_numbers)


def _workbook(path: Path) -> Sheet:
    import warnings
    import zipfile

    from balm.review.records.workbook import check_archive

    try:
        from openpyxl import load_workbook
    except ImportError:
        way_out = "pip install 'balm[records]', or save the sheet as CSV UTF-8"
        raise InputError(Problem(f"reading workbooks needs openpyxl: {way_out}", file=path.name)) from None
    problems: list[Problem] = []
    header: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, path.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
        try:
            for sheet in book.worksheets:
                for number, values in enumerate(sheet.iter_rows(values_only=True, max_row=MAX_ROWS)):
                    cells = [_cell(v) for v in values]
                    while cells and not cells[-1]:
                        cells.pop()
                    if not cells:
                        continue
                    if not header:
                        header, first = tuple(c.strip() for c in cells), number
                        continue
                    row = number - first
                    for at, cell in enumerate(cells):
                        if cell.startswith("=") and len(cell) > 1:
                            column = header[at] if at < len(header) else str(at + 1)
                            problems.append(Problem(FORMULA, file=path.name, row=row, column=column))
                    rows.append(tuple(cells + [""] * (len(header) - len(cells))))
                    numbers.append(row)
                if header:
                    break
        finally:
            book.close()
    except InputError:
        raise
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=str(path))) from None
    except Exception as error:
        what = " ".join(str(error).split())[:100]
        raise InputError(Problem(f"cannot be read as a workbook ({what})", file=path.name)) from None
    if problems:
        raise InputError(problems)
    if not header:
        raise InputError(Problem("has no sheet with cells", file=path.name))
    if len(rows) > MOST_ROWS:
        reason = f"holds {len(rows):,} rows; at most {MOST_ROWS:,} come in at once: split the file"
        raise InputError(Problem(reason, file=path.name))
    return Sheet(path.name, header, tuple(rows), tuple(numbers))


def _cell(value: Any) -> str:
    """A cell as text: days and moments as we write them, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(timespec="minutes")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()
