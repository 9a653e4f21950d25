"""Search exports into a team's review: received at once, read in the background, added whole or refused whole."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path, PurePath

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from balm.actions.records import read_records
from balm.actions.search_rows import KINDS, clean, free_file, record_rows, search_row, without_no_text
from balm.actions.team.acting import Acting
from balm.actions.team.named_in_versions import take_out_of_versions
from balm.actions.team.rows import put_row
from balm.review.deduplication.merged import merge_records
from balm.review.records.collection import Records
from balm.review.records.withdrawal import why_it_stays
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import MAX_CELL, as_cell, read_cells
from balm.store.events.chain import append_event, lock_chain
from balm.store.records.details import keep_details
from balm.store.records.models import Derived, Import, RecordDetail, Upload, Withdrawal
from balm.store.records.unique import DUPLICATES, RECORDS, SEARCHES, cells_of, decisions_of, refresh
from balm.store.reviews.models import Review, Row, StoredFile
from balm.store.reviews.package_rows import add_rows
from balm.vocabulary.problems import InputError, Problem, check_option
from balm.vocabulary.record import Record

#: A file beyond this is refused; the largest export a database gives at once is some tens of megabytes.
MAX_FILE = 50 * 1024**2
#: Files received in one go, and records read from one file: what a server reads without running out of memory.
MAX_FILES, MAX_RECORDS = 20, 100_000
#: Nobody has worked on a file for so long: whoever did has stopped, and it is taken up again.
STALE = timedelta(seconds=20)
#: What a person says of a search (PRISMA-S).
ABOUT = ("kind", "source", "interface", "date", "strategy", "limits", "person")


def receive(
    acting: Acting, files: Iterable[tuple[str, bytes]], about: Mapping[str, str] | list[Mapping[str, str]], *,
    submission: str,
) -> list[Upload]:  # fmt: skip
    """Keep the files ``(name, content)`` until they are read; a request sent again receives nothing twice.

    ``about`` is one answer for all files, or one a file. A file that can be told to be useless at once (empty, too
    large, imported before) stands there refused, with the reason; the others wait.
    """
    acting.check("import")
    answers = [about] if isinstance(about, Mapping) else about
    told = [_checked(one) for one in answers]
    seen = Upload.objects.filter(review=acting.review, member=acting.member, state__in=(Upload.DONE, Upload.REFUSED))
    seen.exclude(submission=submission).delete()
    out = []
    for ordinal, (name, content) in enumerate(files):
        if ordinal >= MAX_FILES:
            raise InputError(f"at most {MAX_FILES} files come in one go; send the rest afterwards")
        with transaction.atomic():
            lock_chain(acting.review.key)
            known = Upload.objects.filter(
                review=acting.review, member=acting.member, submission=submission, ordinal=ordinal
            ).first()
            said = told[min(ordinal, len(told) - 1)] if told else {}
            out.append(known or _received(acting, name, content, said, submission, ordinal))
    if not out:
        raise InputError("choose at least one file")
    return out


def _checked(about: Mapping[str, str]) -> dict[str, str]:
    told = {name: clean(about.get(name) or "").strip() for name in ABOUT}
    if told["kind"]:
        check_option("kind", told["kind"], KINDS)
    for name, text in told.items():
        if len(text) >= MAX_CELL:
            raise InputError(Problem(f"is longer than {MAX_CELL:,} characters", column=name))
    return {name: text for name, text in told.items() if text}


def _received(
    acting: Acting, name: str, content: bytes, about: Mapping[str, str], submission: str, ordinal: int
) -> Upload:
    name = clean(PurePath(name.replace("\\", "/")).name)[:150].strip() or "export"
    digest = hashlib.sha256(content).hexdigest()
    why = ""
    if len(content) > MAX_FILE:
        why = f"is larger than {MAX_FILE // 1024**2} MB, the most a file may have: split the export, or pack it"
    elif not content:
        why = "is empty"
    elif earlier := _earlier(acting.review, digest):
        why = f"was imported already, as {earlier}"
    elif under_way := _on_its_way(acting.review, digest):
        why = f"is on its way in already, as {under_way}"
    return Upload.objects.create(
        review=acting.review, member=acting.member, submission=submission, ordinal=ordinal, name=name,
        size=len(content), sha256=digest, about=dict(about), session=acting.session, request_id=acting.request_id,
        state=Upload.REFUSED if why else Upload.WAITING, problems=[f"{name}: {why}"] if why else [],
        content=None if why else content,
    )  # fmt: skip


def _earlier(review: Review, digest: str) -> str:
    """The search in force that came from a file with this hash."""
    withdrawn = set(Withdrawal.objects.filter(review=review).values_list("search", flat=True))
    known = Import.objects.filter(review=review, sha256=digest).exclude(search__in=withdrawn).first()
    if known:
        return f"{known.search} on {known.at:%d %B %Y}"
    taken_back = Import.objects.filter(review=review, search__in=withdrawn).values("path")
    kept = StoredFile.objects.filter(review=review, sha256=digest, path__startswith="searches/")
    file = kept.exclude(path__in=taken_back).defer("content").first()
    return file.path if file else ""


def _on_its_way(review: Review, digest: str) -> str:
    states = (Upload.WAITING, Upload.READING, Upload.ADDING)
    known = Upload.objects.filter(review=review, sha256=digest, state__in=states).defer("content").first()
    return known.name if known else ""


def next_upload(review: Review) -> Upload | None:
    """The next file to read, taken by whoever asks first; one that somebody stopped working on is taken up again."""
    with transaction.atomic():
        lock_chain(review.key)
        under_way = Upload.objects.filter(review=review, state__in=(Upload.READING, Upload.ADDING))
        waiting = Upload.objects.filter(review=review, state=Upload.WAITING)
        upload = under_way.filter(seen__lt=timezone.now() - STALE).first() or waiting.first()
        if upload is not None:
            upload.state, upload.read, upload.seen = Upload.READING, 0, timezone.now()
            upload.save(update_fields=["state", "read", "seen"])
        return upload


def bring_in(upload: Upload) -> Import | None:
    """Read a file and add its records to the review, or refuse it with the reasons; then nothing of it is kept."""
    try:
        records = _read(upload)
        Upload.objects.filter(pk=upload.pk).update(state=Upload.ADDING, seen=timezone.now(), read=len(records))
        return _add(upload, records)
    except InputError as error:
        refuse(upload, [str(p) for p in error.problems[:20]])
        return None


def refuse(upload: Upload, problems: Iterable[str]) -> None:
    """A file that cannot come in: the reasons stay, its content does not."""
    lines = [clean(line)[:500] for line in problems]
    Upload.objects.filter(pk=upload.pk).exclude(state=Upload.DONE).update(
        state=Upload.REFUSED, problems=lines, content=None
    )


def _read(upload: Upload) -> Records:
    last = timezone.now()

    def told(count: int) -> None:
        nonlocal last
        if count > MAX_RECORDS:
            raise InputError(Problem(f"holds more than {MAX_RECORDS:,} records; split the export", upload.name))
        if timezone.now() - last > timedelta(seconds=0.4):
            last = timezone.now()
            Upload.objects.filter(pk=upload.pk).update(read=count, seen=last)

    with tempfile.TemporaryDirectory(prefix="balm-upload-") as folder:
        path = Path(folder) / free_file(upload.name, set())
        path.write_bytes(bytes(upload.content or b""))
        try:
            records = without_no_text(read_records(path, progress=told))
        except InputError as error:
            raise InputError(
                [Problem(p.reason, p.file.replace(str(path), upload.name), line=p.line) for p in error.problems]
            ) from None
    if not records:
        entry = next((e for e in records.receipt.problems if e.what == "rejected"), None)
        why = f"; the first: line {entry.line}: {entry.why}" if entry else ""
        raise InputError(Problem(f"none of its {records.receipt.held:,} records can be read{why}", upload.name))
    return records


@transaction.atomic
def _add(upload: Upload, records: Records) -> Import:
    acting = Acting(upload.review, upload.member, upload.session, upload.request_id)
    acting.member.refresh_from_db()
    acting.check("import")
    review = acting.review
    lock_chain(review.key)
    if earlier := _earlier(review, upload.sha256):
        raise InputError(Problem(f"was imported already, as {earlier}", upload.name))
    path = _stored(upload)
    searches = set(_keys(review, SEARCHES)) | set(Import.objects.filter(review=review).values_list("search", flat=True))
    row = search_row(upload.name, records, about=upload.about, searches=searches, stored=path.removeprefix("searches/"))
    search = str(row["search"])
    cells = {name: clean(as_cell(value)).strip() for name, value in row.items()}
    cells = {name: text for name, text in cells.items() if text}
    _, problems = read_cells(cells, TABLE_BY_FILE[SEARCHES], row=0)
    if problems:
        raise InputError([Problem(p.reason, upload.name, column=p.column) for p in problems])
    rows = [
        {name: text for name, value in made.items() if (text := as_cell(value))}
        for made in record_rows(records, search, set(_keys(review, RECORDS)))
    ]
    add_rows(review, TABLE_BY_FILE[SEARCHES], [cells])
    add_rows(review, TABLE_BY_FILE[RECORDS], rows)
    keep_details(review, [one["record"] for one in rows], records)
    receipt = records.receipt.to_dict()
    raw = {(p.file, p.line, p.why): p.raw for p in records.receipt.problems if p.raw}
    for entry in receipt["problems"]:  # type: ignore[attr-defined]
        entry["raw"] = raw.get((entry["file"], entry["line"], entry["why"]), "")
    made = Import.objects.create(
        review=review, member=acting.member, submission=upload.submission, search=search, name=upload.name, path=path,
        size=upload.size, sha256=upload.sha256, records=len(rows), receipt=_cleaned(receipt),
    )  # fmt: skip
    append_event(
        review.key, acting.actor, "import search", SEARCHES, search,
        after={
            "search": cells, "file": {"path": path, "sha256": upload.sha256, "bytes": upload.size},
            "records": len(rows), "rejected": records.receipt.rejected, "repaired": records.receipt.repaired,
            "rows_sha256": rows_hash(rows),
        },
    )  # fmt: skip
    Upload.objects.filter(pk=upload.pk).update(state=Upload.DONE, search=search, read=len(rows), content=None)
    return made


def rows_hash(rows: Iterable[Mapping[str, str]]) -> str:
    """SHA-256 of rows as JSON lines with sorted keys: what the event of an import keeps of its records."""
    digest = hashlib.sha256()
    for cells in rows:
        digest.update(json.dumps(dict(cells), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _stored(upload: Upload) -> str:
    """The path of the raw file in the package; one that was taken back and comes again stands there still."""
    kept = StoredFile.objects.filter(review=upload.review, path__startswith="searches/").defer("content")
    again = kept.filter(sha256=upload.sha256).first()
    if again:
        return str(again.path)
    path = f"searches/{free_file(upload.name, {f.path.removeprefix('searches/') for f in kept})}"
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    StoredFile.objects.create(
        review=upload.review, path=path, sha256=upload.sha256, content=upload.content, media_type=kind
    )
    return path


def _keys(review: Review, file: str) -> Iterable[str]:
    return Row.objects.filter(review=review, table=file).order_by().values_list("key", flat=True)


def _cleaned(value: object) -> object:
    """JSON values with every text free of characters that no database keeps."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {str(name): _cleaned(one) for name, one in value.items()}
    return [_cleaned(one) for one in value] if isinstance(value, list | tuple) else value


@transaction.atomic
def dismiss(acting: Acting, upload: int) -> None:
    """Take a refused file, or the word that one is in, off the list."""
    acting.check("import")
    Upload.objects.filter(
        review=acting.review, pk=upload, state__in=(Upload.REFUSED, Upload.DONE)
    ).delete()  # fmt: skip


def change_about(
    acting: Acting, search: str, about: Mapping[str, str], *, reason: str, version: int | None = None
) -> None:
    """Correct what is said of a search (PRISMA-S); what it brought stays as it is."""
    acting.check("import")
    told = _checked(about)
    row = Row.objects.filter(review=acting.review, table=SEARCHES, key=search).first()
    if row is None:
        raise InputError(f"there is no search {search!r} in this review")
    cells = {name: text for name, text in row.cells.items() if name not in ABOUT} | told
    put_row(acting, SEARCHES, cells, reason=clean(reason), version=version)


def unique_in_full(
    records: Mapping[str, Record], ids: Iterable[str]
) -> tuple[Record, Mapping[str, tuple[str, ...]]]:  # fmt: skip
    """The records of one report as one, the kept one's id first, and which records each field came from."""
    held = [records[i] for i in ids if i in records]
    merged, provenance = merge_records(held)
    return replace(merged, id=held[0].id), provenance


@transaction.atomic
def withdraw(acting: Acting, search: str, *, reason: str) -> Withdrawal:
    """Take a whole import back, as if it had not come: its search, its records and what rules said of them.

    Refused as soon as something was decided on one of its records. The raw file and the receipt stay, marked withdrawn;
    the event keeps what was taken out.
    """
    acting.check("import")
    review = acting.review
    lock_chain(review.key)
    if known := Withdrawal.objects.filter(review=review, search=search).first():
        return known
    if not Import.objects.filter(review=review, search=search).exists():
        raise InputError(f"there is no import {search!r} in this review")
    reason = clean(reason).strip()
    if not reason:
        raise InputError(Problem("taking an import back needs a reason", column="reason"))
    if why := why_not_withdrawn(review, search):
        raise InputError(f"this import cannot be taken back any more: {why}")
    rows = Row.objects.filter(review=review, table=RECORDS, cells__search=search)
    cells = list(rows.order_by("position").values_list("cells", flat=True))
    ids = {one["record"] for one in cells}
    told = Row.objects.filter(review=review, table=DUPLICATES).order_by("position")
    gone = [row for row in told if row.cells["record_1"] in ids or row.cells["record_2"] in ids]
    searched = Row.objects.filter(review=review, table=SEARCHES, key=search)
    append_event(
        review.key, acting.actor, "withdraw import", SEARCHES, search, reason=reason,
        before={
            "search": searched.get().cells, "records": len(cells), "rows_sha256": rows_hash(cells),
            "duplicates": [row.cells for row in gone],
        },
    )  # fmt: skip
    for start in range(0, len(gone), 500):
        Row.objects.filter(pk__in=[row.pk for row in gone[start : start + 500]]).delete()
    for start in range(0, len(cells), 500):
        some = [one["record"] for one in cells[start : start + 500]]
        RecordDetail.objects.filter(review=review, record__in=some).delete()
    rows.delete()
    searched.delete()
    take_out_of_versions(acting, "searches", search, reason=reason)
    made = Withdrawal.objects.create(review=review, member=acting.member, search=search, reason=reason)
    Derived.objects.update_or_create(review=review, defaults={"records_to": -1, "looked_to": -1})
    refresh(review)
    return made


def why_not_withdrawn(review: Review, search: str) -> str:
    """The reason an import cannot be taken back any more; empty when it can."""
    rows = Row.objects.filter(review=review, table=RECORDS, cells__search=search).order_by()
    linked = rows.filter(cells__has_key="report")
    return why_it_stays(
        set(rows.values_list("key", flat=True)),
        decisions_of(review),
        in_batches=_handed_out(review),
        linked=set(linked.values_list("key", flat=True)),
    )


def _handed_out(review: Review) -> set[str]:
    """The records handed out for screening, in the frozen batches or in a package that came with votes."""
    out = {one["record"] for file in ("screening.csv", "batches.csv") for one in cells_of(review, file)}
    with suppress(LookupError):  # a server without screening has handed nothing out
        for records in (
            apps.get_model("screening", "Batch").objects.filter(review=review).values_list("records", flat=True)
        ):
            out.update(records)
    return out
