"""RevMan files opened, bounded and read; a review package written from one, and the files RevMan Web imports."""

from __future__ import annotations

import datetime
import gzip
import io
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from balm.review.revman.model import RevManReview
from balm.vocabulary.problems import InputError, Problem

#: The largest reviews with embedded figures stay under 100 MB; a larger file is refused by its size.
MAX_BYTES = 128 * 1024 * 1024
#: All files of a package together, unpacked; its figures and articles are not read.
MAX_UNPACKED = 256 * 1024 * 1024
#: A member that unpacks to more than this many times its packed size, and to more than a megabyte, is a bomb.
MAX_RATIO = 500
#: Members of one archive, and archives inside archives.
MAX_MEMBERS, MAX_NESTED = 20_000, 2
#: What is read from a package; everything else (figures, articles) is passed over.
READ = (".csv", ".ris", ".rm5", ".zip")


def read_revman(path: str | Path) -> RevManReview:
    """Read a RevMan 5 file, a RevMan Web data package or its study data (a ZIP, or a folder), or RevMan's CSV.

    path : ``.rm5``; ``.zip`` or folder of a data package, or of study information, arms, results and risk of bias;
    ``.csv`` of RevMan 5's "export analysis data" or of RevMan Web's data rows; any of them compressed with gzip.  The
    content decides, not the ending.  Study data hold no analyses: every outcome is then one for each pair of
    interventions that studies compare.

    Anything that is none of these, is cut off, too large or made to do harm is an :class:`InputError` that says what
    is wrong.  A file that is not empty and gives no row is an error too.

    >>> review = read_revman("review.rm5")  # doctest: +SKIP
    >>> print(review.recompute())  # doctest: +SKIP
    41 of 41 pooled results agree with RevMan's; 2,105 stored numbers compared, 0 disagree.
    """
    place = Path(path)
    name = place.name
    try:
        review = _from_files(_folder(place), name) if place.is_dir() else _from_bytes(_read(place), name)
    except InputError as error:
        raise InputError([p if p.file else Problem(p.reason, file=name, line=p.line) for p in error.problems]) from None
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=name)) from None
    if why := review.why_empty():
        raise InputError(Problem(why, file=name))
    return review


def _read(place: Path) -> bytes:
    if not place.exists():
        raise InputError(Problem("there is no such file", file=str(place)))
    status = place.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError(Problem("is not a file", file=place.name))
    if status.st_size > MAX_BYTES:
        size, limit = status.st_size / 1024**2, MAX_BYTES // 1024**2
        raise InputError(Problem(f"is {size:,.0f} MB; the limit is {limit} MB, and it was not read", file=place.name))
    with place.open("rb") as source:
        return source.read(MAX_BYTES + 1)


def _from_bytes(data: bytes, name: str) -> RevManReview:
    from balm.review.revman.analysis_csv import read_analysis_csv
    from balm.review.revman.metaview import is_metaview
    from balm.review.revman.rm5 import read_rm5
    from balm.review.revman.tables_in import heading
    from balm.review.revman.web_package import is_data_rows, read_web_package
    from balm.review.revman.xml_text import decode

    if data[:2] == b"\x1f\x8b":
        data = _gunzip(data, name)
        name = name.removesuffix(".gz")
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise InputError(Problem("is empty", file=name))
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return _from_files(_unzip(data, name), name)
    start = decode(data[:4096])[0].lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return read_rm5(data, name)
    if is_metaview(start):
        raise InputError(
            Problem("is a MetaView file of RevMan 4, which holds no results; open it in RevMan 5", file=name)
        )
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(Problem("is no RevMan file: it is neither XML, CSV nor a ZIP package", file=name))
    if is_data_rows(data):
        return read_web_package({name if name.endswith("data-rows.csv") else f"{name}-data-rows.csv": data}, name)
    if "effect measure" in {heading(part) for part in start.split("\n", 1)[0].replace(";", ",").split(",")}:
        return read_analysis_csv(data, name)
    raise InputError(
        Problem(
            "is no RevMan file: it is neither a .rm5, a data package of RevMan Web nor one of their CSVs", file=name
        )
    )


def _gunzip(data: bytes, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as source:
            found = source.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(Problem(f"cannot be unpacked: {error}", file=name)) from None
    if len(found) > MAX_BYTES:
        raise InputError(Problem(f"unpacks to more than {MAX_BYTES // 1024**2} MB, and was not read", file=name))
    return found


def _from_files(files: Mapping[str, bytes], name: str) -> RevManReview:
    from balm.review.revman.rm5 import read_rm5
    from balm.review.revman.web_package import read_web_package

    reviews = [member for member in files if member.lower().endswith(".rm5")]
    if len(reviews) > 1:
        raise InputError(Problem(f"holds {len(reviews)} .rm5 files; give one of them", file=name))
    if reviews:
        return read_rm5(files[reviews[0]], reviews[0].rsplit("/", 1)[-1])
    return read_web_package(files, name)


def _folder(place: Path) -> dict[str, bytes]:
    """The files of an unpacked package; links that lead out of it are not followed."""
    files: dict[str, bytes] = {}
    total = 0
    root = place.resolve()
    for count, path in enumerate(sorted(place.rglob("*"))):
        if count > MAX_MEMBERS:
            raise InputError(Problem(f"holds more than {MAX_MEMBERS:,} files: no package of RevMan", file=place.name))
        if path.suffix.lower() not in READ or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        data = _read(path)
        total += len(data)
        if total > MAX_UNPACKED:
            raise InputError(Problem(f"holds more than {MAX_UNPACKED // 1024**2} MB of tables", file=place.name))
        files[path.relative_to(place).as_posix()] = data
    inner = [name for name in files if name.lower().endswith(".zip")]
    unpacked = any(name.lower().endswith("-rows.csv") for name in files)
    for name in inner:
        data = files.pop(name)
        if not unpacked:
            files |= {f"{name}/{k}": v for k, v in _unzip(data, name, 1).items()}
    return files


def _unzip(data: bytes, name: str, depth: int = 0, budget: list[int] | None = None) -> dict[str, bytes]:
    """The tables of an archive and of those inside it. Nothing is written to disk, so no name can lead anywhere."""
    left = [MAX_UNPACKED] if budget is None else budget
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise InputError(Problem(f"holds {len(members):,} files: no package of RevMan", file=name))
            for member in members:
                parts = PurePosixPath(member.filename.replace("\\", "/"))
                if member.is_dir() or parts.suffix.lower() not in READ:
                    continue
                if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
                    raise InputError(Problem(f"holds a file that leads out of it, {member.filename!r}", file=name))
                if member.flag_bits & 1:
                    raise InputError(Problem("is locked with a password", file=name))
                large = member.file_size > max(1024**2, MAX_RATIO * member.compress_size)
                found = b""
                if not large and member.file_size <= left[0]:
                    with archive.open(member) as source:
                        found = source.read(member.file_size + 1)
                if large or member.file_size > left[0] or len(found) > member.file_size:
                    limit = MAX_UNPACKED // 1024**2
                    reason = f"{member.filename!r} unpacks out of all proportion, or beyond {limit} MB: refused"
                    raise InputError(Problem(reason, file=name))
                left[0] -= len(found)
                if parts.suffix.lower() != ".zip":
                    files[member.filename] = found
                elif depth < MAX_NESTED:
                    files |= {f"{member.filename}/{k}": v for k, v in _unzip(found, name, depth + 1, left).items()}
                else:
                    raise InputError(Problem("holds archives inside archives inside archives: refused", file=name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(Problem(f"cannot be unpacked: {error}", file=name)) from None
    return files


def write_package(review: RevManReview, folder: str | Path) -> tuple[Path, ...]:
    """Write a review package from ``review`` into a new or empty ``folder``: whole, or not at all."""
    from balm.review.revman.package_out import package_files

    target = Path(folder)
    files = package_files(review, target.resolve().name, datetime.date.today().isoformat())
    return write_folder(target, files)


def export_package(folder: str | Path, out: str | Path) -> tuple[Path, ...]:
    """Write what RevMan Web imports from the review package in ``folder``: four CSV files and a RIS."""
    from balm.actions.review import Review
    from balm.review.revman.export import export_files

    return write_folder(Path(out), export_files(Review.load(folder).package))


def write_folder(target: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Write ``files`` into a new or empty folder; a failure half-way leaves nothing behind."""
    try:
        if target.exists() and not target.is_dir():
            raise InputError(Problem("is a file; give the name of a new folder", file=str(target)))
        if target.is_dir() and any(target.iterdir()):
            raise InputError(Problem("is not empty; give the name of a new folder", file=str(target)))
        if not target.parent.is_dir():
            raise InputError(Problem(f"there is no folder {str(target.parent)!r}; make it first", file=str(target)))
        made = Path(tempfile.mkdtemp(prefix=".balm-revman-", dir=target.parent))
        try:
            for name, text in files.items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_text(text, encoding="utf-8", newline="")
            made.chmod(0o755)
            made.replace(target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror or error}", file=str(target))) from None
    return tuple(target / name for name in files)
