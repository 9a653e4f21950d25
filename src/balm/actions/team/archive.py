"""Take a review home, and bring it back: one zip that holds everything, the same bytes for the same review.

The archive is the review package (a folder anybody can read) and, under ``team/``, what the package format has no
table for: members, every judgement and the audit trail. Brought to an empty server it is the same review; archived
there again it is the same file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import lzma
import mimetypes
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath

from django.core.exceptions import FieldError, ValidationError
from django.db import DatabaseError, transaction

from balm.actions.archive_zip import zipped
from balm.actions.member_table import read_members, written_members
from balm.actions.team.acting import Acting, Refused
from balm.actions.team.shown_package import shown_files
from balm.actions.team.taken_home import TAKE_HOME
from balm.review.extraction.standing import why_not_take_home
from balm.review.reading import read_package
from balm.review.screening.visibility import may_take_home
from balm.store.archived import ARCHIVED, lines_of, restore_lines
from balm.store.events.chain import HASHED, Actor, append_event, broken_links, lock_chain
from balm.store.events.models import SERVER, ChainHead, Event
from balm.store.extraction.current import standings
from balm.store.reviews.models import KeptTable, Member, Review, Row, StoredFile
from balm.store.reviews.package_rows import package_files, store_files
from balm.store.risk_of_bias.standing import standings as assessments
from balm.store.screening.standing import open_stages
from balm.vocabulary.problems import InputError, Problem

#: An archive is refused beyond these, before anything of it is unpacked into memory.
MAX_ENTRIES, MAX_FILE, MAX_TOTAL = 20_000, 512 * 1024**2, 2 * 1024**3
#: Packages pack ten to twenty times; what packs better than this, and is large, is a bomb.
MAX_RATIO, RATIO_FROM = 200, 64 * 1024**2
#: What zipfile raises for archives that are cut, altered or packed in ways it does not know.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    NotImplementedError, RuntimeError, EOFError, OSError, ValueError, IndexError,
)  # fmt: skip
#: What files of an archive raise that were altered by hand: other types, columns, values that no table takes.
_DAMAGE = (
    KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, csv.Error,
    DatabaseError, FieldError, ValidationError,
)  # fmt: skip
MEMBER_COLUMNS = ("code", "name", "role", "interests", "active")


def archive(acting: Acting) -> bytes:
    """The whole review as a zip. Taking it home leaves no trace in the review itself, only on the server.

    Whoever screens in a stage that is open, or extracts or assesses what is not compared yet, does not get it:
    it holds what is hidden from them. The server's operator, who has the database, may write it at any time
    (:func:`archive_by_operator`).
    """
    acting.check("take home")
    if why := why_not_home(acting):
        raise Refused(f"{why}. The server's operator can write one: `python -m balm.web archive {acting.review.slug}`")
    return _archive(acting.review, acting.actor)


def why_not_home(acting: Acting) -> str:
    """Why the member may not take the archive home just now; empty when nothing stands against it."""
    code, review = acting.member.code, acting.review
    return may_take_home(code, open_stages(review)) or why_not_take_home(code, standings(review)) or _assesses(acting)


def _assesses(acting: Acting) -> str:
    """Why not, where the member has begun an assessment that is not compared yet."""
    for target, standing in assessments(acting.review).items():
        if acting.member.code in standing.assessors and not standing.revealed:
            return (
                f"{acting.member.code} assesses {target.study}, which is not compared yet: the archive holds "
                "judgements that are hidden until both have finished"
            )
    return ""


def archive_by_operator(review: Review) -> bytes:
    """The archive, for whoever runs the server: they can read the database itself."""
    return _archive(review, Actor("operator"))


def package_zip(acting: Acting) -> bytes:
    """The review package as a zip: the folder that solo work uses. What is hidden from somebody is not in it."""
    acting.check("download")
    with transaction.atomic():
        return zipped(shown_files(acting.review))


def _archive(review: Review, actor: Actor) -> bytes:
    with transaction.atomic():
        lock_chain(review.key)  # nobody changes the review between its first file and its last
        files = package_files(review) | {f"team/{name}": data for name, data in _team_files(review)}
        append_event(SERVER, actor, TAKE_HOME, "review", review.key)
    return zipped(files)


def _team_files(review: Review) -> Iterator[tuple[str, bytes]]:
    about = {
        "key": review.key, "slug": review.slug, "title": review.title, "demonstration": review.demonstration,
        "created": review.created.isoformat(timespec="microseconds"),
    }  # fmt: skip
    yield "review.json", _json(about)
    members = Member.objects.filter(review=review).order_by("pk")
    rows = ([m.code, m.name, m.role, m.interests, "yes" if m.active else "no"] for m in members)
    yield "members.csv", written_members(MEMBER_COLUMNS, rows)
    stored = StoredFile.objects.filter(review=review).order_by("path")
    added = {f.path: [f.media_type, f.added.isoformat(timespec="microseconds")] for f in stored.defer("content")}
    yield "files.json", _json(added)
    changed = Row.objects.filter(review=review, version__gt=1).order_by("table", "position")
    yield "row_versions.json", _json([[r.table, r.key, r.version] for r in changed])
    events = Event.objects.filter(chain=review.key).order_by("seq")
    yield (
        "events.jsonl",
        _lines(_json_line({n: getattr(e, n) for n in (*HASHED, "hash")}) for e in events.iterator(2000)),
    )
    for name in ARCHIVED:
        yield f"{name.replace('.', '_').lower()}.jsonl", _lines(lines_of(review, name))


def bring_archive(data: bytes, *, user: object, claim: str) -> Review:
    """Bring an archive to this server; ``user`` takes the place of the member ``claim``, who must be a lead.

    The package is checked as a whole and the audit trail is walked; an archive that fails either is refused whole, and
    so is one whose files are not what :func:`archive` writes.
    """
    try:
        with transaction.atomic():
            return _bring(data, user, claim)
    except InputError:
        raise
    except _DAMAGE as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise InputError(f"the archive is damaged ({what}); nothing was brought in") from None


def _bring(data: bytes, user: object, claim: str) -> Review:
    files = unpack(data)
    team = {name.removeprefix("team/"): files.pop(name) for name in [n for n in files if n.startswith("team/")]}
    missing = [
        n for n in ("review.json", "members.csv", "files.json", "row_versions.json", "events.jsonl") if n not in team
    ]
    if missing:
        raise InputError(
            Problem(
                "is missing: this is a package, not an archive of a server; start a review with it",
                f"team/{missing[0]}",
            )
        )
    package, problems = read_package(files, Path("archive"))
    if package is None:
        raise InputError(problems)
    about = json.loads(team["review.json"])
    if Review.objects.filter(key=about["key"]).exists() or Review.objects.filter(slug=about["slug"]).exists():
        raise InputError(f"the review {about['slug']!r} is on this server already; nothing was brought in")
    review = Review.objects.create(**{**about, "created": datetime.fromisoformat(about["created"])})
    members = _restore_members(review, team["members.csv"], user, claim)
    store_files(review, files)
    _restore_details(review, team)
    for name in ARCHIVED:
        file = f"{name.replace('.', '_').lower()}.jsonl"
        restore_lines(review, name, (line for line in team.get(file, b"").decode().split("\n") if line), members)
    _restore_events(review, team["events.jsonl"])
    append_event(
        SERVER, Actor(claim, "lead"), "bring review back", "review", review.key,
        after={"sha256": hashlib.sha256(data).hexdigest()},
    )  # fmt: skip
    return review


def _restore_members(review: Review, data: bytes, user: object, claim: str) -> dict[str, Member]:
    members = {}
    for row in read_members(data, MEMBER_COLUMNS, "team/members.csv"):
        active = row.pop("active") == "yes"
        members[row["code"]] = Member.objects.create(review=review, active=active, **row)
    if claim not in members or members[claim].role != "lead":
        leads = sorted(code for code, m in members.items() if m.role == "lead")
        raise InputError(f"claim must be a lead of the archived review, one of {leads}; got {claim!r}")
    members[claim].user = user  # type: ignore[assignment]
    members[claim].save(update_fields=["user"])
    return members


def _restore_details(review: Review, team: dict[str, bytes]) -> None:
    added = json.loads(team["files.json"])
    for file in StoredFile.objects.filter(review=review).defer("content"):
        media_type, when = added.get(
            file.path, (mimetypes.guess_type(file.path)[0] or "application/octet-stream", None)
        )
        file.media_type = media_type
        file.added = datetime.fromisoformat(when) if when else file.added
        file.save(update_fields=["media_type", "added"])
    for table, key, version in json.loads(team["row_versions.json"]):
        Row.objects.filter(review=review, table=table, key=key).update(version=version)
    if not KeptTable.objects.filter(review=review).exists():
        raise InputError("the archive holds no table of a review package")


def _restore_events(review: Review, data: bytes) -> None:
    events = [Event(**json.loads(line)) for line in data.decode().split("\n") if line]
    if not events:
        raise InputError(Problem("holds no event: the audit trail of a review begins with it", "team/events.jsonl"))
    if any(event.chain != review.key for event in events):
        raise InputError(Problem("holds an event of another review", "team/events.jsonl"))
    Event.objects.bulk_create(events, batch_size=500)
    if events:
        ChainHead.objects.create(chain=review.key, seq=events[-1].seq, hash=events[-1].hash)
    faults = list(broken_links(review.key))
    if faults:
        raise InputError([Problem(fault, "team/events.jsonl") for fault in faults])


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of a zip, within bounds; a name that leads out of the folder, or a bomb, is refused whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = [e for e in packed.infolist() if not e.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise InputError(f"the archive holds {len(entries):,} files; the limit is {MAX_ENTRIES:,}")
            if sum(e.file_size for e in entries) > MAX_TOTAL:
                raise InputError(f"the archive unpacks to more than {MAX_TOTAL // 1024**3} GB; nothing was brought in")
            if sum(e.file_size for e in entries) > max(RATIO_FROM, MAX_RATIO * len(data)):
                raise InputError(f"the archive unpacks to more than {MAX_RATIO} times its size: refused")
            files: dict[str, bytes] = {}
            for entry in entries:
                path = PurePosixPath(entry.filename)
                unsafe = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename
                if unsafe or not path.parts:
                    raise InputError(
                        f"the archive holds a file named {entry.filename!r}, which leads out of its folder"
                    )
                if entry.filename in files:
                    raise InputError(f"the archive holds {entry.filename!r} twice")
                with packed.open(entry) as source:
                    files[entry.filename] = source.read(MAX_FILE + 1)
                if len(files[entry.filename]) > MAX_FILE:
                    raise InputError(f"{entry.filename!r} is larger than {MAX_FILE // 1024**2} MB")
            return files
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"the file is not a zip that can be read: {error}") from None


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _json_line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _lines(lines: Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
