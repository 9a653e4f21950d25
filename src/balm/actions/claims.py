"""Claims of texts and of files: one text with the evidence beside it, or a column of abstracts at a time."""

from __future__ import annotations

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balm.actions.whole_file import whole_file
from balm.review.claims_in_text.check import CheckedText, check_claims
from balm.review.claims_in_text.claim import FIELDS
from balm.review.claims_in_text.evidence import Beside, Known, beside_evidence
from balm.vocabulary.longest_cell import longest_cell
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.spreadsheet_cell import safe_cell

if TYPE_CHECKING:
    from balm.review.synthesis import Synthesis

#: The most text that is read from one file or the standard input at once, in bytes: a long book.
MAX_TEXT = 16 * 1024**2
#: Abstracts that one process takes at a time.
BATCH = 200
#: The longest abstract of a table; more is a whole article, which is a text.
MAX_ABSTRACT = 200_000
#: So many names of columns, and so much of each, stand in a message.
_NAMES, _NAME = 20, 40
#: Endings of files that hold records.
RECORD_FILES = (".ris", ".nbib", ".csv", ".tsv", ".xlsx", ".bib", ".xml", ".enw", ".ciw")


@dataclass(frozen=True)
class ManyChecked:
    """What came out of many texts: how many were read, claims by kind and verdict, and where the rows were written."""

    texts: int = 0
    without_text: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    cautions: int = 0
    path: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "texts": self.texts,
            "without_text": self.without_text,
            "claims": sum(self.counts.values()),
            "counts": [{"kind": k, "verdict": v, "n": n} for (k, v), n in sorted(self.counts.items())],
            "cautions": self.cautions,
        }


def read_text(path: str) -> str:
    """The text of a file, or of the standard input where ``path`` is ``-``; UTF-8, else Windows' Western letters."""
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_TEXT + 1)
        else:
            with open(path, "rb") as source:
                data = source.read(MAX_TEXT + 1)
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=path)) from None
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=path)) from None
    name = "standard input" if path == "-" else path
    if len(data) > MAX_TEXT:
        raise InputError(Problem(f"is longer than {MAX_TEXT // 1024**2} MB; split it", file=name))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\x00" in data[:4096] or data.startswith((b"%PDF", b"PK\x03\x04")):
        raise InputError(Problem("is no text; save it as plain text first", file=name))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def known_results(folder: str | Path) -> list[Known]:
    """The pooled results of the review package in ``folder``: see :func:`known_of`."""
    from balm.actions.review import Review

    return known_of(Review.load(folder).synthesise())


def known_of(synthesis: Synthesis) -> list[Known]:
    """What a review has pooled, and the pooled results published elsewhere that it lists and checked."""
    known = []
    for analysis in synthesis.analyses:
        if analysis.fit is not None:
            shown = analysis.fit.displayed
            known.append(
                Known(
                    f"this review, {analysis.title}", None, analysis.outcome.id, analysis.measure,
                    round(float(shown.estimate), 4), round(float(shown.interval.low), 4), round(float(shown.interval.high), 4),  # noqa: E501
                )
            )  # fmt: skip
    for checked in synthesis.published:
        row = checked.published
        if not row.verified or checked.on_scale is None or row.outcome is None or row.measure is None:
            continue
        estimate, low, high = (round(x, 6) for x in checked.on_scale)
        known.append(Known(row.label, row.year, row.outcome, row.measure, estimate, low, high, checked.rescaled))
    return known


def check_beside(text: str, folder: str | Path, year: int | None = None) -> tuple[CheckedText, list[Beside]]:
    """The claims of a text, and what the review in ``folder`` knows beside them."""
    checked = check_claims(text)
    return checked, beside_evidence(text, checked, known_results(folder), year)


def check_file(
    path: str | Path, out: str | Path | None = None, *, column: str | None = None, processes: int | None = None
) -> ManyChecked:
    """Check every abstract of a CSV, RIS, NBIB or other export; write one row a claim to ``out``.

    column : the column of a CSV that holds the text; without it the abstract of each record is read.
    processes : how many share the work; by default as many as the machine has processors, at most 4.

    The file is written whole or not at all. Rows: record, then the fields of a claim.
    """
    texts = _column(Path(path), column) if column is not None else _abstracts(path)
    target = None if out is None else Path(out)
    counts: Counter[tuple[str, str]] = Counter()
    totals = {"texts": 0, "without": 0, "cautions": 0}

    def rows() -> Iterator[list[Any]]:
        for name, checked in _checked(texts, processes, totals):
            for claim in checked:
                counts[claim["kind"], claim["verdict"]] += 1
                yield [_cell(name), *(_cell(claim[f]) for f in FIELDS)]

    if target is None:
        for _ in rows():
            pass
    else:
        with whole_file(target, "w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink, lineterminator="\n")
            writer.writerow(["record", *FIELDS])
            writer.writerows(rows())
    return ManyChecked(totals["texts"], totals["without"], counts, totals["cautions"], target)


def _cell(value: object) -> object:
    """A cell that no spreadsheet evaluates; empty where there is none."""
    if isinstance(value, str):
        return safe_cell(value)
    return "" if value is None else value


def _batch(texts: list[tuple[str, str]]) -> list[tuple[str, list[dict[str, Any]], int]]:
    found = []
    for name, text in texts:
        checked = check_claims(text[:MAX_ABSTRACT])
        found.append((name, [claim.to_dict() for claim in checked], len(checked.cautions)))
    return found


def _checked(
    texts: Iterator[tuple[str, str]], processes: int | None, totals: dict[str, int]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    batches = _batches(texts, totals)
    workers = min(4, os.cpu_count() or 1) if processes is None else processes
    first = next(batches, None)
    if first is None:
        return
    second = next(batches, None)
    if workers < 2 or second is None:
        every = [first] + ([second] if second is not None else [])
        results: Iterator[list[tuple[str, list[dict[str, Any]], int]]] = map(_batch, _chained(every, batches))
        yield from _unpacked(results, totals)
        return
    from multiprocessing import get_context

    with get_context("spawn").Pool(workers) as pool:
        yield from _unpacked(pool.imap(_batch, _chained([first, second], batches)), totals)


def _chained(first: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    yield from first
    yield from rest


def _unpacked(
    results: Iterator[list[tuple[str, list[dict[str, Any]], int]]], totals: dict[str, int]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for batch in results:
        for name, claims, cautions in batch:
            totals["cautions"] += cautions
            yield name, claims


def _batches(texts: Iterator[tuple[str, str]], totals: dict[str, int]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    for name, text in texts:
        totals["texts"] += 1
        if not text.strip():
            totals["without"] += 1
            continue
        batch.append((name, text))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _abstracts(path: str | Path) -> Iterator[tuple[str, str]]:
    from balm.actions.records import stream_records

    for record in stream_records(path):
        yield record.id, record.abstract or ""


def _column(path: Path, column: str) -> Iterator[tuple[str, str]]:
    with longest_cell(MAX_TEXT), read_text_stream(path) as source:
        reader = csv.reader(_bounded_lines(source, path))
        try:
            header = next(reader, None)
            if header is None:
                raise InputError(Problem("is empty", file=str(path)))
            if column not in header:
                shown = ", ".join(name[:_NAME] for name in header[:_NAMES])
                shown += f" and {len(header) - _NAMES:,} more" if len(header) > _NAMES else ""
                raise InputError(Problem(f"has no column {column!r}; its columns are {shown}", file=str(path)))
            at = header.index(column)
            name = next((header.index(n) for n in ("id", "record", "record_id", "pmid", "PMID") if n in header), None)
            for number, row in enumerate(reader, 1):
                label = row[name] if name is not None and name < len(row) and row[name] else str(number)
                yield label, row[at] if at < len(row) else ""
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(Problem(f"cannot be read as CSV: {error}", file=str(path))) from None


def _bounded_lines(source: Any, path: Path) -> Iterator[str]:
    """The lines of a table, as long as they are lines: one that does not end would be held whole."""
    number = 0
    while line := source.readline(MAX_TEXT + 1):
        number += 1
        if len(line) > MAX_TEXT:
            reason = f"line {number:,} is longer than {MAX_TEXT // 1024**2} MB: this is no table"
            raise InputError(Problem(reason, file=str(path), line=number))
        yield line


def read_text_stream(path: Path) -> Any:
    """A CSV opened for reading, or one clear error."""
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=str(path))) from None
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=str(path))) from None
