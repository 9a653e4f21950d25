"""Search exports on disk: opened within bounds, read with a receipt, written whole; the rules are in review.records.

What a plain text file does not need (archives, writers) is imported where it is used: a search export is often read by
a process of its own, and half of a second's work would be imports.

>>> import balm
>>> records = balm.read_records("medline.nbib", "embase.ris")  # doctest: +SKIP
>>> print(records.receipt)  # doctest: +SKIP
"""

from __future__ import annotations

import gc
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from balm.review.records.collection import Records
from balm.review.records.formats import READERS, Reader
from balm.review.records.receipt import Entry, FileReceipt, Receipt, Tally
from balm.review.records.recognise import HEAD, recognise
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: Held in memory at once, unpacked: about a million records. Larger files are streamed by :func:`stream_records`.
MAX_IN_MEMORY = 1024**3
#: Read from one file at all, unpacked; the largest single export any database allows is far below it.
MAX_STREAMED = 64 * 1024**3
#: Text packs ten to twenty times, exports full of repeated names some fifty; a bomb a thousand.
MAX_RATIO = 400
#: Below this, how well something packs says nothing.
RATIO_FROM = 64 * 1024**2
#: Records between two words on the progress.
TOLD_EVERY = 500
#: A workbook inside a compressed file has to be held in memory to be read.
MAX_WORKBOOK = 256 * 1024**2


def read_records(*paths: str | Path, progress: Callable[[int], None] | None = None) -> Records:
    """Every record of every file, with the receipt: ``read + rejected`` is what the files hold.

    The format is told from the content: RIS, NBIB, PubMed and EndNote XML, Web of Science, Ovid, BibTeX, CSV, TSV,
    XLSX, ClinicalTrials.gov CSV and JSON, ICTRP XML, CENTRAL; ``.gz`` and ``.zip`` are unpacked within bounds. Raises
    :class:`~balm.vocabulary.problems.InputError` naming every file that cannot be read; then nothing is returned.
    ``progress`` is told from time to time how many records have been read.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "search.ris"
    >>> _ = file.write_text("TY  - JOUR\\nTI  - Ketamine\\nPY  - 2009\\n")
    >>> records = read_records(file)
    >>> records[0].title, records.receipt.read, records.receipt.problems[0].why
    ('Ketamine', 1, 'the record has no ER line')
    """
    if not paths:
        raise InputError("read_records needs at least one file")
    taken: set[str] = set()
    records: list[Record] = []
    files: list[FileReceipt] = []
    entries: list[Entry] = []
    problems: list[Problem] = []
    collecting = gc.isenabled()
    gc.disable()  # records hold no cycles; the collector would walk all of them again and again
    try:
        for path in paths:
            try:
                for name, stream, reader in _parts(path, MAX_IN_MEMORY):
                    tally = Tally(name, taken=taken)
                    read = _guarded(reader, stream, tally)
                    records.extend(read if progress is None else _counted(read, len(records), progress))
                    files.append(tally.close())
                    entries.extend(tally.entries)
            except InputError as error:
                problems.extend(error.problems)
    finally:
        if collecting:
            gc.enable()
    if problems:
        raise InputError(problems)
    return Records(records, Receipt(tuple(files), tuple(entries)))


def stream_records(path: str | Path, *, receipts: list[Receipt] | None = None) -> Iterator[Record]:
    """The records of one file, one at a time in constant memory, whatever its length.

    Ids that the file gives twice are not told apart here. Pass a list as ``receipts`` to find the receipt in it when
    the last record has been read.
    """
    for name, stream, reader in _parts(path, MAX_STREAMED):
        tally = Tally(name)
        yield from _guarded(reader, stream, tally)
        file = tally.close()
        if receipts is not None:
            receipts.append(Receipt((file,), tuple(tally.entries)))


def write_records(records: Iterable[Record], path: str | Path) -> Path:
    """Write ``records`` to ``path`` in the format of its ending: ``.ris``, ``.nbib``, ``.bib`` or ``.csv``.

    The file appears whole or not at all. Reading it again gives the same fields; in CSV, cells that a spreadsheet would
    run as a formula are written with an apostrophe before them, which reading takes away.
    """
    from balm.actions.whole_file import whole_file
    from balm.review.records.writers import WRITERS

    target = Path(path)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        reason = f"must end in one of {list(WRITERS)}, which says the format to write"
        raise InputError(Problem(reason, file=str(path)))
    with whole_file(target, "w", encoding="utf-8", newline="", errors="replace") as out:
        out.writelines(write(records))
    return target


def _counted(records: Iterator[Record], before: int, progress: Callable[[int], None]) -> Iterator[Record]:
    for number, record in enumerate(records, before + 1):
        if number % TOLD_EVERY == 0:
            progress(number)
        yield record


def _guarded(reader: Reader, stream: BinaryIO, tally: Tally) -> Iterator[Record]:
    """The records; faults of the archive or the disk become one clear line."""
    try:
        yield from reader.read(stream, tally)
    except InputError as error:
        raise InputError(
            [p if p.file else Problem(p.reason, file=tally.file, line=p.line) for p in error.problems]
        ) from None
    except _damage() as error:
        raise InputError(Problem(f"the compressed file breaks off or is damaged ({error})", file=tally.file)) from None
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=tally.file)) from None
    except UnicodeError as error:
        raise InputError(Problem(f"cannot be read as text ({error})", file=tally.file)) from None


def _damage() -> tuple[type[Exception], ...]:
    """What a damaged archive raises; asked only once something was raised, as a plain file needs none of it."""
    import gzip
    import zipfile

    return EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile


class _Bounded(io.RawIOBase):
    """A stream that starts with bytes already read, and refuses to grow beyond its bounds."""

    def __init__(self, head: bytes, rest: BinaryIO, file: str, limit: int, packed: int | None) -> None:
        self.head, self.rest, self.file, self.limit, self.packed = head, rest, file, limit, packed
        self.taken = len(head)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.head:
            if size is None or size < 0 or size >= len(self.head):
                data, self.head = self.head, b""
            else:
                data, self.head = self.head[:size], self.head[size:]
            return data
        data = self.rest.read(1 << 20 if size is None or size < 0 else size)
        self.taken += len(data)
        if self.taken > self.limit:
            limit = f"{self.limit // 1024**2:,} MB"
            way_out = "read it with balm.stream_records, or split it" if self.limit <= MAX_IN_MEMORY else "split it"
            raise InputError(Problem(f"is larger than {limit}, the most that is read; {way_out}", file=self.file))
        if self.packed and self.taken > RATIO_FROM and self.taken > MAX_RATIO * self.packed:
            raise InputError(Problem(f"unpacks to more than {MAX_RATIO} times its size: refused", file=self.file))
        return data


def _parts(path: str | Path, limit: int) -> Iterator[tuple[str, BinaryIO, Reader]]:
    """``(name, stream, reader)`` of a file, or of every member of a ZIP archive."""
    file = Path(path)
    name = file.name
    try:
        if file.is_dir():
            raise InputError(folder_instead(file))
        with open(file, "rb") as raw:
            size = os.fstat(raw.fileno()).st_size
            head = raw.read(HEAD)
            if not head.strip(b" \t\r\n\x00\xef\xbb\xbf"):
                raise InputError(Problem("is empty", file=str(path)))
            if head[:2] == b"\x1f\x8b":
                import gzip

                with gzip.open(_rewound(raw)) as unpacked:
                    inner = cast(BinaryIO, unpacked)
                    yield _part(str(path), name, inner.read(HEAD), inner, limit, max(size, 1))
            elif head[:4] == b"PK\x03\x04" and recognise(head, name) != "xlsx":
                yield from _members(_rewound(raw), str(path), name, limit)
            elif head[:4] == b"PK\x03\x04":
                yield name, _rewound(raw), READERS["xlsx"]
            else:
                if size > limit:
                    shown = f"{size / 1024**2:,.0f} MB; the most that is held in memory is {limit // 1024**2:,} MB"
                    raise InputError(
                        Problem(f"is {shown}: read it with balm.stream_records, or split it", file=str(path))
                    )
                yield _part(str(path), name, head, raw, limit, None)
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=str(path))) from None
    except _damage() as error:
        raise InputError(Problem(f"the compressed file breaks off or is damaged ({error})", file=str(path))) from None
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Problem(f"cannot be read: {reason}", file=str(path))) from None


#: So many files of a folder are named in a message.
_NAMED = 5


def folder_instead(folder: Path) -> Problem:
    """What to say to a folder where a file is asked for: the files in it, and how to give them all."""
    try:
        names = sorted(p.name for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    except OSError as error:
        return Problem(f"is a folder that cannot be read: {error.strerror or error}", file=str(folder))
    if not names:
        return Problem("is a folder without files; give the exports themselves", file=str(folder))
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    return Problem(f"is a folder; give its files ({shown}), or all of them as {folder / '*'}", file=str(folder))


def _rewound(raw: BinaryIO) -> BinaryIO:
    raw.seek(0)
    return raw


def _part(
    path: str, name: str, head: bytes, rest: BinaryIO, limit: int, packed: int | None
) -> tuple[str, BinaryIO, Reader]:
    plain = name[:-3] if name.lower().endswith(".gz") else name
    found = recognise(head, plain)
    if found is None:
        known = ", ".join(r.title for r in READERS.values())
        if told := _told_by_first_bytes(head):
            raise InputError(Problem(told, file=path))
        if tool := _another_tools(head):
            reason = f"is {tool}, which is not read: export again as RIS from where it was made"
            raise InputError(Problem(reason, file=path))
        looks = "has no record in any format" if _texty(head) else "is not text in any format"
        raise InputError(Problem(f"{looks} that can be read: {known}", file=path))
    stream = cast(BinaryIO, _Bounded(head, rest, path, limit, packed))
    if found == "xlsx":
        data = bytearray()
        while block := stream.read(1 << 20):
            data += block
            if len(data) > MAX_WORKBOOK:
                size = f"{MAX_WORKBOOK // 1024**2} MB"
                raise InputError(Problem(f"a packed workbook may have at most {size}; unpack it first", file=path))
        stream = io.BytesIO(bytes(data))
    return name, stream, READERS[found]


#: What only bibliography tools read, by a mark in its first bytes.
_OTHERS = (
    (b"<rdf:RDF", "RDF (as Zotero exports it)"),
    (b"<modsCollection", "MODS"),
    (b"<mods", "MODS"),
    (b"<b:Sources", "a list of sources of Microsoft Word"),
    (b"<TEI", "TEI"),
    (b'"container-title"', "CSL JSON"),
    (b'"issued"', "CSL JSON"),
)


#: What is no text, or no export, by its first bytes; what it is, and the way out.
_FIRST_BYTES = (
    (b"\xd0\xcf\x11\xe0", "a workbook of the kind before Excel 2007 (.xls)", "save it as .xlsx or CSV UTF-8"),
    (b"%PDF-", "a PDF", "export the records as RIS from where it was made"),
    (b"SQLite format 3\x00", "a program's own database", "export its records as RIS in that program"),
    (b"PK\x03\x04", "an archive within an archive", "unpack it first"),
    (b"\x1f\x8b", "an archive within an archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ", "an xz archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it first"),
)
_WEB_PAGE = (b"<!doctype html", b"<html")


def _told_by_first_bytes(head: bytes) -> str | None:
    """What a file is that no reader knows, and what to do with it."""
    for mark, what, way_out in _FIRST_BYTES:
        if head.startswith(mark):
            return f"is {what}, which is not read: {way_out}"
    if head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_WEB_PAGE):
        return "is a web page (HTML), not an export: save the records as RIS or CSV there"
    return None


def _another_tools(head: bytes) -> str | None:
    return next((name for mark, name in _OTHERS if mark in head[:8192]), None)


def _texty(head: bytes) -> bool:
    return sum(byte < 9 or 13 < byte < 32 for byte in head[:4096]) < 0.02 * len(head[:4096]) + 4


#: Where an ASReview project keeps the records it was made from.
_PROJECT_DATA = "data/"


def _members(raw: BinaryIO, path: str, name: str, limit: int) -> Iterator[tuple[str, BinaryIO, Reader]]:
    import zipfile

    from balm.review.records.workbook import check_archive

    with zipfile.ZipFile(raw) as archive:
        check_archive(archive, path, limit)
        infos = [i for i in archive.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX")]
        if any(i.filename == "project.json" for i in infos):
            infos = [i for i in infos if i.filename.startswith(_PROJECT_DATA) and not i.filename.endswith(".db")]
        if not infos:
            raise InputError(Problem("the archive holds no export of records", file=path))
        for info in infos:
            if info.flag_bits & 1:
                raise InputError(Problem(f"{info.filename!r} is encrypted; unpack it first", file=path))
            where = f"{path}: {info.filename}"
            try:
                member = archive.open(info)
            except NotImplementedError:
                reason = "is packed by a method that is not read; pack it again as an ordinary ZIP"
                raise InputError(Problem(reason, file=where)) from None
            with member:
                inner = cast(BinaryIO, member)
                yield _part(where, f"{name}/{info.filename}", inner.read(HEAD), inner, limit, info.compress_size or 1)
