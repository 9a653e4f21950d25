"""The package of a review as the bytes of its files, from the database and into it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from django.db.models import Q

from balm.review.package import Package
from balm.review.plan import FILE
from balm.review.reading import read_package
from balm.review.schema import TABLE_BY_FILE, Table
from balm.review.tables import decode, written_cell
from balm.store.reviews.models import KeptTable, Review, Row, StoredFile
from balm.vocabulary.problems import InputError
from balm.vocabulary.spreadsheet_cell import unsafe_cell

#: Between the cells of a key: a character that no cell may hold.
BETWEEN = "\x1f"


def row_key(table: Table, cells: Mapping[str, str]) -> str:
    """The key of a row, from its cells."""
    return BETWEEN.join(cells.get(name, "") for name in table.key)


def store_files(review: Review, files: Mapping[str, bytes]) -> None:
    """Keep a package's files: tables as rows, everything else whole. The review holds nothing yet; nothing is checked
    here (``read_package`` has said that there is no problem)."""
    for path, data in files.items():
        table = TABLE_BY_FILE.get(path)
        if table is None:
            StoredFile.objects.create(review=review, path=path, content=data, sha256=hashlib.sha256(data).hexdigest())
            continue
        text, _ = decode(data, file=path)
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if any(cell.strip() for cell in line)]
        columns = [name.strip() for name in lines[0]]
        KeptTable.objects.create(review=review, table=path, columns=columns)
        texts = {c.name for c in table.columns if c.kind == "text"}
        add_rows(
            review,
            table,
            (
                {name: unsafe_cell(cell.strip()) if name in texts else cell.strip() for name, cell in named}
                for named in (zip(columns, line, strict=True) for line in lines[1:])
            ),
        )


def add_rows(review: Review, table: Table, rows: Iterable[Mapping[str, str]]) -> int:
    """Append rows to a table of the review; returns how many. Keeping the table's columns complete is part of it."""
    last = Row.objects.filter(review=review, table=table.file).order_by("-position").first()
    position = last.position + 1 if last else 0
    made = []
    used: dict[str, None] = {}
    for offset, cells in enumerate(rows):
        filled = {name: value for name, value in cells.items() if value}
        used |= dict.fromkeys(filled)
        key = row_key(table, filled)
        made.append(Row(review=review, table=table.file, key=key, position=position + offset, cells=filled))
    Row.objects.bulk_create(made, batch_size=500)
    kept, _ = KeptTable.objects.get_or_create(
        review=review, table=table.file, defaults={"columns": [c.name for c in table.columns]}
    )
    widened = with_columns(table, kept.columns, used)
    if widened != kept.columns:
        kept.columns = widened
        kept.save(update_fields=["columns"])
    return len(made)


def with_columns(table: Table, columns: list[str], used: Iterable[str]) -> list[str]:
    """``columns`` with those of ``used`` that it lacks, in the order of the format."""
    wanted = {*columns, *used}
    return columns if wanted == set(columns) else [c.name for c in table.columns if c.name in wanted]


def table_bytes(review: Review, kept: KeptTable) -> bytes:
    """A table as the file: UTF-8, one line a row, line feeds, in the order of the rows."""
    rows = Row.objects.filter(review=review, table=kept.table).order_by("position").values_list("cells", flat=True)
    return csv_bytes(kept, rows.iterator(chunk_size=2000))


def csv_bytes(kept: KeptTable, rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows of a table as the file of the package."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(kept.columns)
    table = TABLE_BY_FILE[kept.table]
    columns = [table.column(name) for name in kept.columns]
    for cells in rows:
        writer.writerow([written_cell(cells.get(c.name, ""), c, table) for c in columns])
    return out.getvalue().encode()


def package_files(review: Review, *, but: str = "") -> dict[str, bytes]:
    """Every file of the package, by its path; ``but`` the table of this file."""
    stored = StoredFile.objects.filter(review=review).values_list("path", "content")
    files = {path: bytes(content) for path, content in stored.iterator(chunk_size=16)}
    return dict(sorted((files | dict(_tables(review, but=but))).items()))


def _tables(review: Review, *, but: str = "") -> Iterator[tuple[str, bytes]]:
    for kept in KeptTable.objects.filter(review=review).exclude(table=but):
        yield kept.table, table_bytes(review, kept)


def package_of(review: Review) -> Package:
    """The package, read and checked as a whole; :class:`InputError` with every problem when it has one.

    The plan and the guidance are read; of full texts and raw exports, which may be large, only that they are there.
    """
    stored = StoredFile.objects.filter(review=review)
    read = stored.filter(Q(path=FILE) | Q(path__startswith="guidance/")).values_list("path", "content")
    there = dict.fromkeys(stored.values_list("path", flat=True), b"")
    files = there | {path: bytes(content) for path, content in read} | dict(_tables(review))
    package, problems = read_package(files, Path(review.slug))
    if package is None:
        raise InputError(problems)
    return package
