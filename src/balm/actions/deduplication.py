"""Duplicates of search exports on disk: read, found, written. The rules are in ``review.deduplication``.

>>> found = dedupe("medline.nbib", "embase.ris", pairs="pairs.csv")  # doctest: +SKIP
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from balm.actions.records import read_records, write_records
from balm.actions.whole_file import whole_file
from balm.review.deduplication.duplicates import Duplicates, find_duplicates
from balm.review.records.writers import WRITERS
from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.spreadsheet_cell import safe_cell

#: The columns of the table of pairs: a contract.
PAIR_COLUMNS = ("record_1", "record_2", "decision", "score", "rule")


def dedupe(
    *paths: str | Path,
    output: str | Path | None = None,
    pairs: str | Path | None = None,
    decisions: Iterable[DuplicateDecision] = (),
) -> Duplicates:
    """Read every file, find the duplicates, and write the unique records and the table of pairs where asked.

    Both targets are looked at before anything is read, so a wrong ending or folder costs nothing.
    """
    check_targets(output, pairs)
    found = find_duplicates(read_records(*paths), decisions=decisions)
    if pairs is not None:
        write_pairs(found, pairs)
    if output is not None:
        write_records(found.unique, output)
    return found


def check_targets(output: str | Path | None, pairs: str | Path | None) -> None:
    """Raise where one of the files to write cannot be what it is asked to be."""
    if output is not None and Path(output).suffix.lower() not in WRITERS:
        raise InputError(
            Problem(f"must end in one of {list(WRITERS)}, which says the format to write", file=str(output))
        )
    for target in (output, pairs):
        if target is not None and not Path(target).parent.is_dir():
            reason = f"there is no folder {str(Path(target).parent)!r}; make it first"
            raise InputError(Problem(reason, file=str(target)))
    if output is not None and pairs is not None and Path(output).resolve() == Path(pairs).resolve():
        raise InputError(Problem("is asked to hold both the records and the pairs; give two names", file=str(output)))


def write_pairs(found: Duplicates, path: str | Path) -> Path:
    """The table of pairs as CSV; the file appears whole or not at all.

    Cells that a spreadsheet would run as a formula are written with an apostrophe before them.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(PAIR_COLUMNS)
    for pair in found.pairs:
        rows.writerow(
            (safe_cell(pair.record_1), safe_cell(pair.record_2), pair.decision, f"{pair.score:.6f}", pair.rule)
        )
    return replace_file(Path(path), out.getvalue().encode("utf-8", errors="replace"))


def replace_file(target: Path, data: bytes) -> Path:
    """Write ``data`` to ``target``, whole or not at all."""
    with whole_file(target) as out:
        out.write(data)
    return target
