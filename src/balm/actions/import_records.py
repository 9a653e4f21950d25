"""Search exports into a review package: raw files kept, one search a file, one record a row, nothing half-written."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from balm.actions.records import folder_instead, read_records
from balm.actions.review import LARGER, MAX_BYTES, Review
from balm.actions.search_rows import free_file, record_rows, search_row, without_no_text
from balm.actions.whole_file import whole_file
from balm.review.records.receipt import Receipt
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import written_cell
from balm.vocabulary.problems import InputError, Problem


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import added: the receipt, the ids of the new searches, and how many records each holds."""

    folder: Path
    receipt: Receipt
    searches: tuple[tuple[str, str, int], ...]  # (search, file, records)

    def to_dict(self) -> dict[str, object]:
        """For machines."""
        searches = [{"search": s, "file": f, "records": n} for s, f, n in self.searches]
        return {"folder": str(self.folder), "searches": searches, **self.receipt.to_dict()}


def import_records(
    folder: str | Path,
    *paths: str | Path,
    kind: str | None = None,
    source: str | None = None,
    interface: str | None = None,
    date: str | None = None,
    person: str | None = None,
) -> Imported:
    """Add the exports ``paths`` to the review package in ``folder``, and return the receipt.

    Each file becomes a search (``searches.csv``) with its raw bytes under ``searches/``, and each of its records a row
    of ``records.csv``. Rows are only ever added. A package with problems, a file imported before, or a file that cannot
    be read stops the import before anything is written. ``kind`` is told from the records when not given: ``register``
    where all of them are registrations, else ``database``.
    """
    if not paths:
        raise InputError("import needs at least one file")
    root = Path(folder)
    review = Review.load(root)
    if problems := review.problems():
        raise InputError(problems)
    package = review.package
    raw = root / "searches"
    known = _hashes(raw)
    digests: dict[str, str] = {}
    for path in paths:
        digest = _digest(path)
        earlier = known.get(digest) or digests.get(digest)
        if earlier:
            raise InputError(Problem(f"was imported already, as {earlier}", file=str(path)))
        digests[digest] = str(path)

    searches = {s.search for s in package.searches}
    ids = {r.record for r in package.records}
    files = {p.name for p in raw.iterdir()} if raw.is_dir() else set()
    new_searches: list[dict[str, object]] = []
    new_records: list[dict[str, object]] = []
    copies: list[tuple[Path, Path]] = []
    receipts: list[Receipt] = []
    added: list[tuple[str, str, int]] = []
    for path in paths:
        records = without_no_text(read_records(path))
        receipts.append(records.receipt)
        name = Path(path).name
        stored = free_file(name, files)
        copies.append((Path(path), raw / stored))
        about = {"kind": kind, "source": source, "interface": interface, "date": date, "person": person}
        row = search_row(name, records, about=about, searches=searches, stored=stored)
        new_searches.append(row)
        new_records.extend(record_rows(records, str(row["search"]), ids))
        added.append((str(row["search"]), name, len(records)))
    receipt = Receipt(tuple(f for r in receipts for f in r.files), tuple(p for r in receipts for p in r.problems))
    texts = {
        "searches.csv": appended(root / "searches.csv", new_searches),
        "records.csv": appended(root / "records.csv", new_records),
    }
    for file, text in texts.items():
        if len(text) > (most := LARGER.get(file, MAX_BYTES)):
            size, limit = len(text) / 1024**2, most // 1024**2
            reason = f"would grow to {size:,.0f} MB; a package holds at most {limit} MB a file. Import fewer records"
            raise InputError(Problem(reason, file=file))
    _write(root, raw, copies, texts)
    return Imported(root, receipt, tuple(added))


def _digest(path: str | Path) -> str:
    try:
        if Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir():
            reason = "is a pipe or a device; a file is kept as it is in the package: save it first, and import that"
            raise InputError(Problem(reason, file=str(path)))
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=str(path))) from None
    except IsADirectoryError:
        raise InputError(folder_instead(Path(path))) from None
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=str(path))) from None


def _hashes(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return {_digest(p): f"searches/{p.name}" for p in sorted(folder.iterdir()) if p.is_file()}


def appended(path: Path, rows: Sequence[Mapping[str, object]]) -> bytes:
    """The bytes of a table of the package with ``rows`` added: what stood there stays byte for byte."""
    table = TABLE_BY_FILE[path.name]
    before = path.read_bytes() if path.exists() else b""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if before.strip(b"\xef\xbb\xbf \r\n"):
        first = next(csv.reader(io.StringIO(before.decode("utf-8-sig"), newline="")))
        columns = [name.strip() for name in first]
        if not before.endswith((b"\n", b"\r")):
            before += b"\n"
    else:
        before = b""
        columns = [c.name for c in table.columns]
        writer.writerow(columns)
    kinds = [table.column(name) for name in columns]
    for row in rows:
        writer.writerow([written_cell(row.get(column.name), column, table) for column in kinds])
    return before + out.getvalue().encode("utf-8", errors="replace")


def _write(root: Path, raw: Path, copies: Sequence[tuple[Path, Path]], texts: Mapping[str, bytes]) -> None:
    """Every file beside its place first, then into it; a failure anywhere leaves the package as it was."""
    made_folder = not raw.is_dir()
    before = {root / name: (root / name).read_bytes() if (root / name).exists() else None for name in texts}
    before |= {target: None for _, target in copies}
    try:
        raw.mkdir(exist_ok=True)
        with ExitStack() as written:
            for source, target in copies:
                out = written.enter_context(whole_file(target))
                with open(source, "rb") as stream:
                    shutil.copyfileobj(stream, out)
            for name, text in texts.items():
                written.enter_context(whole_file(root / name)).write(text)
    except BaseException as error:
        for target, old in before.items():
            if old is None:
                target.unlink(missing_ok=True)
            elif target.read_bytes() != old:
                target.write_bytes(old)
        if made_folder and raw.is_dir() and not any(raw.iterdir()):
            raw.rmdir()
        if isinstance(error, OSError):
            raise InputError(Problem(f"cannot be written: {error.strerror or error}", file=str(root))) from None
        raise
