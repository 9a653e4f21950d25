"""Follow-up: what is due and overdue, a patient's own form behind a one-time link, and its answers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from balm.actions.clinic.acting import ClinicActing, clock, today
from balm.actions.clinic.entries import Change, again, slice_of, write
from balm.actions.clinic.participants import participant_of_row
from balm.actions.team.accounts import hashed
from balm.registry.definition import Definition, Instrument, Visit
from balm.registry.schedule import Due, due_list
from balm.store.events.chain import append_event, lock_chain
from balm.store.registry.current import definition_of, registry_of
from balm.store.registry.models import Clinic, FollowUpLink, LinkUse
from balm.vocabulary.problems import InputError, Problem

#: Days a link works: the longest time between two visits of the first month, and a reminder.
LINK_DAYS = 14
#: What the due list is worked out from.
TABLES = ("participants", "courses", "sessions", "assessments", "contacts", "stops")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A visit that wants something done, with the words of the schedule, and whether a link is out."""

    due: Due
    visit: Visit
    linked: bool
    call_back: bool = False


def due_and_overdue(clinic: Clinic, day: date | None = None) -> tuple[list[Waiting], list[Waiting], list[FollowUpLink]]:
    """Overdue visits (the longest first), visits that are due, and whom to call back about an unwanted effect."""
    registry = registry_of(clinic, tables=TABLES)
    day = day or today(registry.definition)
    links = FollowUpLink.objects.filter(clinic=clinic, expires__gt=timezone.now(), use=None)
    out = set(links.values_list("course", "visit"))
    visits = {v.id: v for v in registry.definition.visits}
    found = [
        Waiting(due, visits[due.visit], (due.course, due.visit) in out)
        for due in due_list(registry, day)
        if due.status in ("open", "overdue")
    ]
    used = FollowUpLink.objects.filter(clinic=clinic, use__unwanted=True).select_related("use").order_by("use__at")
    called = {(c.course, c.visit) for c in registry.contacts if c.events_asked}
    back = [link for link in used if (link.course, link.visit) not in called]
    return [w for w in found if w.due.status == "overdue"], [w for w in found if w.due.status == "open"], back


@transaction.atomic
def make_link(acting: ClinicActing, participant: str, course: str, visit: str, *, days: int = LINK_DAYS) -> str:
    """The secret of a new link to the patient's form, shown once; links made before it for this visit stop working."""
    acting.check("clinic follow up")
    before = slice_of(acting, participant)
    if course not in before.rows["courses"]:
        raise InputError(f"there is no course {course!r} in this clinic")
    if before.definition.visit(visit) is None:
        raise InputError(Problem(f"{visit!r} is no visit of the schedule", column="visit"))
    pain = before.definition.pain
    for a in before.registry.assessments:
        if (a.course, a.visit, a.instrument, a.item) == (
            course,
            visit,
            pain.instrument,
            pain.item,
        ) and a.value is not None:
            raise InputError("this visit is answered already")
    secret = secrets.token_urlsafe(24)
    FollowUpLink.objects.create(
        clinic=acting.clinic, participant=participant, course=course, visit=visit, secret_hash=hashed(secret),
        code=acting.code, expires=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    append_event(acting.clinic.key, acting.actor, "make follow-up link", "course", course, after={"visit": visit})
    return secret


def link_for(secret: str) -> FollowUpLink | None:
    """The link with this secret while it works: unused, not expired, and the latest of its visit."""
    found = (
        FollowUpLink.objects.select_related("clinic")
        .filter(secret_hash=hashed(secret), expires__gt=timezone.now(), use=None)
        .first()
    )
    if found is None:
        return None
    later = FollowUpLink.objects.filter(clinic=found.clinic, course=found.course, visit=found.visit, pk__gt=found.pk)
    return None if later.exists() else found


def instruments_asked(definition: Definition, visit: str) -> tuple[Instrument, ...]:
    """What is asked at a visit: every instrument; before treatment nothing that asks about change."""
    found = definition.visit(visit)
    before = found is not None and found.baseline
    return tuple(i for i in definition.instruments if not (before and i.id == "pgic"))


@transaction.atomic
def answer_link(secret: str, answers: Mapping[tuple[str, str], str], *, unwanted: str, request_id: str = "") -> bool:
    """Save a patient's answers, once; ``False`` where the link does not work (any more).

    A yes to unwanted effects is no adverse event yet: somebody calls back, and only that counts as having asked.
    """
    link = link_for(secret)
    if link is None:
        return False
    lock_chain(link.clinic.key)
    if link_for(secret) is None:
        return False
    acting = ClinicActing(link.clinic, None, request_id=request_id)
    before = slice_of(acting, link.participant)
    day = clock(before.definition).date().isoformat()
    changes, problems = [], []
    for instrument in instruments_asked(before.definition, link.visit):
        for item in instrument.items:
            text = answers.get((instrument.id, item.id), "").strip()
            if not text:
                if not item.optional:
                    problems.append(Problem("please answer this question", column=item.label))
                continue
            row = {
                "assessment": f"{link.course}-{link.visit}-{instrument.id}-{item.id}", "course": link.course,
                "visit": link.visit, "instrument": instrument.id, "item": item.id, "date": day, "value": text,
                "mode": "link",
            }  # fmt: skip
            changes.append(Change("assessments", row))
    if unwanted not in ("yes", "no"):
        problems.append(Problem("please answer this question", column="Unwanted effects"))
    if problems:
        raise InputError(problems)
    contact = {
        "course": link.course, "visit": link.visit, "date": day, "reached": "yes", "mode": "link",
        "events_asked": "yes" if unwanted == "no" else "",
    }  # fmt: skip
    changes.append(Change("contacts", contact))
    write(acting, before, changes, action="patient answers", reason="the patient's own answer")
    LinkUse.objects.create(link=link, unwanted=unwanted == "yes")
    append_event(
        link.clinic.key, acting.actor, "use follow-up link", "course", link.course,
        after={"visit": link.visit, "unwanted effects": unwanted},
    )  # fmt: skip
    return True


@transaction.atomic
def hold_visit(
    acting: ClinicActing, course: str, visit: str, *, contact: Mapping[str, str],
    answers: Mapping[tuple[str, str], str], reason: str = "", submission: str,
) -> None:  # fmt: skip
    """A follow-up held by somebody of the clinic: whether the person was reached, what they answered, in one act."""
    acting.check("clinic follow up")
    participant = participant_of_row(acting, "courses", course)
    before = slice_of(acting, participant)
    if course not in before.rows["courses"]:
        raise InputError(f"there is no course {course!r} in this clinic")
    if again(acting, submission):
        return
    found = before.definition.visit(visit)
    if found is None:
        raise InputError(Problem(f"{visit!r} is no visit of the schedule", column="visit"))
    day = contact.get("date", "").strip() or clock(before.definition).date().isoformat()
    changes = []
    for (instrument, item), text in answers.items():
        if text.strip():
            row = {
                "assessment": f"{course}-{visit}-{instrument}-{item}", "course": course, "visit": visit,
                "instrument": instrument, "item": item, "date": day, "value": text, "mode": contact.get("mode", ""),
            }  # fmt: skip
            changes.append(Change("assessments", row))
    if not found.baseline:
        changes.append(Change("contacts", {**contact, "course": course, "visit": visit, "date": day}))
    if changes and contact.get("reached") == "no" and any(c.table == "assessments" for c in changes):
        raise InputError(Problem("nobody was reached, so there are no answers", column="reached"))
    if not changes:
        raise InputError("fill in at least one answer")
    write(acting, before, changes, action="hold visit", reason=reason)


def definition(clinic: Clinic) -> Definition:
    """The clinic's definition in force."""
    return definition_of(clinic)
