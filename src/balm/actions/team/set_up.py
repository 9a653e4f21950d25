"""Change the plan of a review: one section, or the whole text; read and checked before it is kept, one event each."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction

from balm.actions.team.acting import Acting
from balm.review.plan import FILE, read_plan
from balm.review.reading import read_package
from balm.review.set_up.sections import Section, given, held
from balm.review.set_up.writing import with_list, with_table
from balm.store.events.chain import append_event, lock_chain
from balm.store.reviews.models import KeptTable, Review, Row, StoredFile
from balm.store.reviews.package_rows import table_bytes
from balm.vocabulary.problems import InputError, Problem

#: Tables that refer to nothing in the plan, and may be long.
APART = frozenset({"records.csv", "duplicates.csv", "screening.csv", "batches.csv"})
BOM = "\ufeff"


def plan_text(review: Review) -> tuple[str, str]:
    """The text of the plan, and its hash: what a person saw when they began to change it."""
    file = StoredFile.objects.get(review=review, path=FILE)
    return bytes(file.content).decode(), file.sha256


def is_settled(review: Review) -> bool:
    """Whether work has begun on the plan: from then on every change needs a reason.

    It is settled once the review holds a record, a study or a result, however they came.
    """
    begun = ("records.csv", "studies.csv", "results.csv")
    return Row.objects.filter(review=review, table__in=begun).exists()


def change_table(acting: Acting, section: Section, values: Mapping[str, Any], *, reason: str, seen: str) -> bool:
    """Set the fields of a section that is one table; returns whether anything changed."""
    return _change(acting, section.key, lambda text: with_table(text, section, values), section, reason, seen)


def change_list(
    acting: Acting,
    section: Section,
    items: Sequence[tuple[int | None, Mapping[str, Any]]],
    *,
    reason: str,
    seen: str,
) -> bool:
    """Set the items of a section that is a list, in their order; see :func:`balm.review.set_up.writing.with_list`."""
    return _change(acting, section.key, lambda text: with_list(text, section, items), section, reason, seen)


def change_text(acting: Acting, text: str, *, reason: str, seen: str) -> bool:
    """Replace the whole plan by another text."""
    return _change(acting, "text", lambda _: text, None, reason, seen)


@transaction.atomic
def _change(acting: Acting, place: str, change: Any, section: Section | None, reason: str, seen: str) -> bool:
    acting.check("set up")
    review = acting.review
    lock_chain(review.key)
    file = StoredFile.objects.select_for_update().get(review=review, path=FILE)
    if file.sha256 != seen:
        raise InputError(Problem("was changed by somebody else since you opened it; look again", FILE))
    old = bytes(file.content).decode()
    mark = BOM if old.startswith(BOM) else ""
    old = old.removeprefix(BOM)
    new = str(change(old)).removeprefix(BOM)
    if new == old:
        return False
    if is_settled(review) and not reason.strip():
        raise InputError(Problem("a change needs a reason: work on this plan has begun", column="reason"))
    title = _check(review, old, new)
    before, after = _said(old, new, section)
    file.content = (mark + new).encode()
    file.sha256 = hashlib.sha256(file.content).hexdigest()
    file.save(update_fields=["content", "sha256"])
    if title != review.title:
        Review.objects.filter(pk=review.pk).update(title=title)
    append_event(
        review.key, acting.actor, "change plan", "plan", place, before=before, after=after, reason=reason.strip()
    )
    return True


def _said(old: str, new: str, section: Section | None) -> tuple[Any, Any]:
    """What the event keeps: the section before and after, or the whole text."""
    if section is None:
        return old, new
    sides = []
    for text in (old, new):
        value = held(tomllib.loads(text), section)
        sides.append([given(item, section) for item in value] if section.many else given(value, section))
    return sides[0], sides[1]


def _check(review: Review, old: str, new: str) -> str:
    """The title in the new plan. Every problem of it, and every problem it makes in the tables, refuses the change."""
    meta, problems = read_plan(new)
    if meta is None:
        raise InputError(problems)
    old_meta, _ = read_plan(old)
    if old_meta is not None and old_meta.id != meta.id:
        raise InputError(Problem("the id of a review stays", FILE, column="review.id", value=meta.id))
    files = {
        kept.table: table_bytes(review, kept)
        for kept in KeptTable.objects.filter(review=review)
        if kept.table not in APART
    }
    for stored in StoredFile.objects.filter(review=review, path__endswith=".toml").exclude(path=FILE):
        files[stored.path] = bytes(stored.content)
    made = _problems(files | {FILE: new.encode()})
    if made:
        there = set(_problems(files | {FILE: old.encode()}))
        if more := [p for p in made if p not in there]:
            raise InputError(more)
    return meta.title


def _problems(files: Mapping[str, bytes]) -> tuple[Problem, ...]:
    return read_package(files, Path("package"))[1]
