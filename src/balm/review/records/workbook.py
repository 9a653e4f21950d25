"""Excel workbooks (``.xlsx``), read row by row: cells as text, never formulas."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from balm.review.records.headers import looks_like_header
from balm.review.records.receipt import Tally
from balm.review.records.table import HEADER_WITHIN, read_rows
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: All parts of a workbook together, unpacked; Excel's largest sheet of records stays under this.
MAX_UNPACKED = 1024**3
#: Text packs ten to twenty times; what packs better than this is a bomb.
MAX_RATIO = 200


def check_archive(archive: zipfile.ZipFile, file: str, limit: int = MAX_UNPACKED) -> None:
    """Refuse an archive that would unpack to more than ``limit``, or that packs better than text can."""
    infos = archive.infolist()
    if len(infos) > 10_000:
        raise InputError(Problem(f"holds {len(infos):,} files; it is refused unread", file=file))
    unpacked = sum(i.file_size for i in infos)
    packed = max(1, sum(i.compress_size for i in infos))
    if unpacked > limit:
        size = f"{unpacked / 1024**2:,.0f} MB"
        raise InputError(
            Problem(f"would unpack to {size}; the limit is {limit // 1024**2:,} MB, and it was not read", file=file)
        )
    if unpacked > 32 * 1024**2 and unpacked / packed > MAX_RATIO:
        raise InputError(Problem(f"unpacks {unpacked // packed:,} times its size: refused as a bomb", file=file))


def read(source: BinaryIO, tally: Tally) -> Iterator[Record]:
    """The rows of every sheet that has a header of records; other sheets are listed."""
    tally.format, tally.encoding = "workbook (XLSX)", "XLSX"
    try:
        from openpyxl import load_workbook
    except ImportError:
        way_out = "install balm with its extra (pip install 'balm[records]'), or save the sheet as CSV UTF-8"
        raise InputError(Problem(f"reading workbooks needs openpyxl; {way_out}", file=tally.file)) from None
    import warnings

    try:
        with zipfile.ZipFile(source) as archive:
            check_archive(archive, tally.file)
        source.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's remarks on styles and validations, which are not read
            book = load_workbook(source, read_only=True, data_only=True, keep_links=False)
    except InputError:
        raise
    except Exception as error:
        what = " ".join(str(error).split())[:100]
        raise InputError(Problem(f"cannot be read as a workbook ({what})", file=tally.file)) from None
    found = False
    try:
        for sheet in book.worksheets:
            rows = _rows(sheet, tally)
            head = [row for row, _ in zip(rows, range(HEADER_WITHIN), strict=False)]
            if not any(looks_like_header(cells) for _, _, cells in head):
                if any(any(cells) for _, _, cells in head):
                    tally.repair(None, "a sheet without a header of records left out", repr(sheet.title))
                continue
            found = True
            yield from read_rows(_joined(head, rows), tally)
    finally:
        book.close()
    if not found:
        raise InputError(Problem("has no sheet with a header that names fields of records", file=tally.file))


def _joined(head: list[Any], rows: Iterator[Any]) -> Iterator[Any]:
    yield from head
    yield from rows


def _rows(sheet: Any, tally: Tally) -> Iterator[tuple[int, int, list[str]]]:
    sheet.reset_dimensions()
    try:
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, number, [_cell(value) for value in row]
    except InputError:
        raise
    except Exception as error:
        raise InputError(Problem(f"the sheet {sheet.title!r} is damaged ({error})", file=tally.file)) from None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    return str(value)
