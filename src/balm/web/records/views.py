"""Searches and their receipts, the import with its progress, and the records of the review."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models.fields.json import KT
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from balm.actions.search_rows import KINDS
from balm.actions.team.acting import Acting
from balm.actions.team.deduplication import looked_at_all, questions
from balm.actions.team.records import (
    ABOUT,
    MAX_FILE,
    MAX_FILES,
    change_about,
    dismiss,
    receive,
    unique_in_full,
    withdraw,
)
from balm.review.deduplication.side_by_side import FIELDS
from balm.review.deduplication.standing_rows import kept_by
from balm.review.records.writers import WRITERS
from balm.review.screening.outcomes import STAGES
from balm.store.records.details import full_records
from balm.store.records.models import Import, Upload, Withdrawal
from balm.store.records.unique import RECORDS, SEARCHES, cells_of, decisions_of, unique_records, value_of
from balm.store.reviews.models import Row, StoredFile
from balm.store.screening.standing import opening_of
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review
from balm.web.records.background import go_on, under_way
from balm.web.security import accepts_body

#: Bytes of one request: several exports at once.
MAX_TOTAL = 200 * 1024**2
#: Records on a page of the list.
PER_PAGE = 50
MEDIA = {".ris": "application/x-research-info-systems", ".bib": "application/x-bibtex", ".csv": "text/csv"}
#: Names of what a person says of a search, as the form asks for them, with a hint.
ASKED = (
    ("source", "Source", "Embase, CENTRAL, ClinicalTrials.gov; told from the file when empty"),
    ("interface", "Interface", "Ovid, embase.com, PubMed"),
    ("date", "Date of the search", "2026-11-22"),
    ("person", "Who ran it", ""),
    ("limits", "Limits", "humans; no language limit"),
    ("strategy", "Strategy, line by line as it was run", ""),
)


@require_GET
@in_review("view")
def searches(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The searches of the review with what each brought, and the form that brings the next."""
    return render(request, "records/searches.html", _searches(acting))


def _searches(acting: Acting) -> dict[str, Any]:
    review, progress = acting.review, _progress(acting)
    imports = {i.search: i for i in Import.objects.filter(review=review).defer("receipt").select_related("member")}
    withdrawn = Withdrawal.objects.filter(review=review).select_related("member")
    receipts = dict(Import.objects.filter(review=review).values_list("search", "receipt__rejected"))
    repaired = dict(Import.objects.filter(review=review).values_list("search", "receipt__repaired"))
    rows = [
        {
            "cells": cells, "brought": imports.get(cells["search"]),
            "rejected": receipts.get(cells["search"]), "repaired": repaired.get(cells["search"]),
        }
        for cells in cells_of(review, SEARCHES)
    ]  # fmt: skip
    return {
        "acting": acting, "review": review, "here": "searches", "rows": rows,
        "withdrawn": [(w, imports[w.search]) for w in withdrawn],
        "records": Row.objects.filter(review=review, table=RECORDS).count(),
        "unique": None if progress["busy"] else unique_records(review).count(),
        "questions": 0 if progress["busy"] else len(questions(review)),
        "opened": opening_of(review, STAGES[0]) is not None,
        "may_import": acting.may("import"), "kinds": KINDS, "asked": ASKED, "submission": secrets.token_hex(16),
        "max_file": MAX_FILE // 1024**2, "max_bytes": MAX_FILE, "max_files": MAX_FILES, **progress,
    }  # fmt: skip


def _progress(acting: Acting) -> dict[str, Any]:
    if not acting.may("import"):
        return {"uploads": [], "busy": False}
    busy = under_way(acting.review)
    looking = not busy and not looked_at_all(acting.review)
    if busy or looking:
        go_on(acting)
        busy = under_way(acting.review)
        looking = not busy and not looked_at_all(acting.review)
    listed = Upload.objects.filter(review=acting.review).defer("content")
    return {"uploads": list(listed), "busy": busy or looking, "looking": looking}


@require_GET
@in_review("import")
def uploads(request: HttpRequest, acting: Acting) -> HttpResponse:
    """How far the files are, and what has come in: asked for again and again while one is under way."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("records", slug=acting.review.slug)
    return render(request, "records/searches.html#state", _searches(acting))


@accepts_body(MAX_TOTAL)
@require_POST
@in_review("import")
def bring(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Receive files; they are read in the background, and the page shows how far they are."""
    given = request.FILES.getlist("files")
    told = {name: request.POST.getlist(name) for name in ABOUT}
    answers = [
        {name: values[k] for name, values in told.items() if k < len(values)}
        for k in range(max(map(len, told.values()), default=0))
    ]
    submission = request.POST.get("submission", "")[:64] or secrets.token_hex(16)
    contents = ((file.name or "export", file.read(MAX_FILE + 1)) for file in given)
    receive(acting, contents, answers or [{}], submission=submission)
    go_on(acting)
    return redirect("records", slug=acting.review.slug)


@require_POST
@in_review("import")
def dismiss_upload(request: HttpRequest, acting: Acting, upload: int) -> HttpResponse:
    """Take a file off the list of those that came."""
    dismiss(acting, upload)
    return redirect("records", slug=acting.review.slug)


@require_GET
@in_review("view")
def search(request: HttpRequest, acting: Acting, search: str) -> HttpResponse:
    """One search: what was said of it, and the receipt of its file."""
    return _search(request, acting, search)


def _search(
    request: HttpRequest, acting: Acting, search: str, *, error: InputError | None = None, form: str = ""
) -> HttpResponse:
    """The page; after an error with what was sent by ``form`` (``change`` or ``withdraw``) still in it."""
    review, sent = acting.review, request.POST if form == "change" else {}
    row = Row.objects.filter(review=review, table=SEARCHES, key=search).first()
    brought = Import.objects.select_related("member").filter(review=review, search=search).first()
    withdrawn = Withdrawal.objects.select_related("member").filter(review=review, search=search).first()
    if row is None and brought is None:
        if error is not None:
            raise error
        raise Http404
    may_import = acting.may("import") and row is not None
    return render(
        request, "records/search.html",
        {
            "acting": acting, "review": review, "here": "searches", "search": search, "row": row, "brought": brought,
            "withdrawn": withdrawn, "kinds": KINDS, "may_import": may_import,
            "entries": (brought.receipt["problems"] if brought else []),
            "facts": [(label, row.cells.get(name, "")) for name, label, _ in ASKED] if row else [],
            "fields": [(name, label, sent.get(name, row.cells.get(name, ""))) for name, label, _ in ASKED]
            if row else [],
            "chosen_kind": sent.get("kind", row.cells.get("kind") if row else ""),
            "problems": error.problems if error else (), "form": form, "reason": request.POST.get("reason", ""),
        },
        status=422 if error else 200,
    )  # fmt: skip


@require_GET
@in_review("view")
def raw_file(request: HttpRequest, acting: Acting, search: str) -> HttpResponse:
    """The raw export, byte for byte as it came."""
    path = Import.objects.filter(review=acting.review, search=search).values_list("path", flat=True).first()
    if path is None:
        row = Row.objects.filter(review=acting.review, table=SEARCHES, key=search).first()
        path = row.cells.get("file") if row else None
    file = StoredFile.objects.filter(review=acting.review, path=path or "").first()
    if file is None or not file.path.startswith("searches/"):
        raise Http404
    return _attachment(bytes(file.content), "application/octet-stream", file.path.removeprefix("searches/"))


@require_POST
@in_review("import")
def change_search(request: HttpRequest, acting: Acting, search: str) -> HttpResponse:
    """Correct what is said of a search, with a reason."""
    told = {name: request.POST.get(name, "") for name in ABOUT}
    seen = request.POST.get("version", "")
    version = int(seen) if seen.isdecimal() else None
    try:
        change_about(acting, search, told, reason=request.POST.get("reason", ""), version=version)
    except InputError as error:
        return _search(request, acting, search, error=error, form="change")
    messages.success(request, "The search was changed.")
    return redirect("search", slug=acting.review.slug, search=search)


@require_POST
@in_review("import")
def withdraw_search(request: HttpRequest, acting: Acting, search: str) -> HttpResponse:
    """Take a whole import back."""
    try:
        withdraw(acting, search, reason=request.POST.get("reason", ""))
    except InputError as error:
        return _search(request, acting, search, error=error, form="withdraw")
    go_on(acting)
    messages.success(
        request, f"The import {search} was taken back; every count follows. Its file and receipt are kept."
    )
    return redirect("records", slug=acting.review.slug)


@require_GET
@in_review("view")
def all_records(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The records of the review, one a report, with a search in title, authors and identifiers."""
    rows = unique_records(acting.review).order_by("position")
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    for word in words.lower().split()[:8]:
        rows = rows.filter(words__contains=word)
    pages = Paginator(rows, PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "acting": acting, "review": acting.review, "here": "all", "page": page, "q": words, "found": pages.count,
        "records": [value_of(row) for row in page],
        "endings": [e.removeprefix(".") for e in MEDIA], "may_download": acting.may("download"),
    }  # fmt: skip
    return render(request, "records/all.html" + ("#list" if request.htmx else ""), context)  # type: ignore[attr-defined]


@require_GET
@in_review("view")
def one_record(request: HttpRequest, acting: Acting, record: str) -> HttpResponse:
    """One report: its fields with the record each came from, and every record of it with its search."""
    review = acting.review
    row = unique_records(review).filter(record=record).first()
    if row is None:
        kept = kept_by(decisions_of(review)).get(record)
        if kept is None or not unique_records(review).filter(record=kept).exists():
            raise Http404
        return redirect("record", slug=review.slug, record=kept)
    one = value_of(row)
    records = full_records(review, one.ids)
    merged, provenance = unique_in_full(records, one.ids)
    shown = [
        (label, value if isinstance(value, str | int) else "; ".join(value), _origin(provenance, name, one.ids))
        for name, label in {**FIELDS, "keywords": "Keywords"}.items()
        if (value := getattr(merged, name))
    ]
    rows = Row.objects.filter(review=review, table=RECORDS, key__in=one.ids).order_by()
    cells = dict(rows.values_list("key", KT("cells__search")))
    sources = [(records[i], cells.get(i)) for i in one.ids if i in records]
    return render(
        request, "records/record.html",
        {
            "acting": acting, "review": review, "here": "all", "one": one, "merged": merged, "shown": shown,
            "sources": sources, "may_take_out": acting.may("deduplicate") and len(one.ids) > 1,
        },
    )  # fmt: skip


def _origin(provenance: Mapping[str, tuple[str, ...]], name: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    """The records a field came from, where not all of them say the same."""
    told = provenance.get(name, ())
    return () if len(told) == len(ids) else told


@require_GET
@in_review("download")
def download(request: HttpRequest, acting: Acting, ending: str) -> HttpResponse:
    """Every record, one a report, for a reference manager; no decision is in it."""
    media = MEDIA.get(f".{ending}")
    if media is None:
        raise Http404
    review = acting.review
    records = full_records(review)
    merged = (unique_in_full(records, ids)[0] for ids in _groups(acting))
    text = "".join(WRITERS[f".{ending}"](merged))
    return _attachment(text.encode("utf-8", errors="replace"), media, f"{review.slug}-records.{ending}")


def _groups(acting: Acting) -> Iterator[list[str]]:
    rows = unique_records(acting.review).order_by("position").values_list("ids", flat=True)
    yield from rows.iterator(chunk_size=5000)


def _attachment(content: bytes, media: str, name: str) -> HttpResponse:
    safe = "".join(c if c.isalnum() or c in "._-" else "-" for c in name)
    return HttpResponse(
        content, content_type=media,
        headers={"Content-Disposition": f'attachment; filename="{safe}"', "X-Content-Type-Options": "nosniff"},
    )  # fmt: skip
