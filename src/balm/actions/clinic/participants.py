"""Enrol a person under a random pseudonym; keep who they are in the vault; read it with a reason; erase it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from django.db import transaction

from balm.actions.clinic.acting import ClinicActing, today
from balm.actions.clinic.entries import Change, Slice, again, slice_of, write
from balm.store.events.chain import append_event, lock_chain
from balm.store.identity.keys import destroy_key, key_of, new_key
from balm.store.identity.models import Erasure, Identity
from balm.store.registry.models import Entry
from balm.vocabulary.problems import InputError, Problem

#: What the vault keeps of a person; everything may stay empty.
IDENTITY_FIELDS = {
    "name": "Name",
    "born": "Date of birth",
    "number": "Number in the clinic's own records",
    "contact": "Telephone or e-mail",
}
#: Letters of a pseudonym: none that is taken for another (0 and O, 1 and I).
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_pseudonym() -> str:
    """Drawn at random: nothing about the person can be worked out of it."""
    return "P-" + "".join(secrets.choice(_LETTERS) for _ in range(8))


@transaction.atomic
def enrol(
    acting: ClinicActing, *, cells: Mapping[str, str], consent: Mapping[str, str], identity: Mapping[str, str],
    submission: str,
) -> str:  # fmt: skip
    """A new participant with their consent; returns the pseudonym, or nothing for a form sent before."""
    acting.check("clinic enrol")
    lock_chain(acting.clinic.key)
    if again(acting, submission):
        return ""
    pseudonym = new_pseudonym()
    while Entry.objects.filter(clinic=acting.clinic, participant=pseudonym).exists():
        pseudonym = new_pseudonym()
    before = slice_of(acting, pseudonym)
    day = today(before.definition).isoformat()
    site = cells.get("site") or before.definition.sites[0].id
    changes = [
        Change(
            "participants", {**cells, "participant": pseudonym, "site": site, "enrolled": cells.get("enrolled") or day}
        )
    ]
    if not consent.get("version", "").strip():
        raise InputError(Problem("the version of the consent form must be named", column="version"))
    changes.append(
        Change(
            "consents", {**consent, "participant": pseudonym, "purpose": "registry", "date": consent.get("date") or day}
        )
    )
    write(acting, before, changes, action="enrol")
    if any(text.strip() for text in identity.values()):
        _seal(acting, pseudonym, identity)
    return pseudonym


@transaction.atomic
def keep_identity(acting: ClinicActing, participant: str, identity: Mapping[str, str], *, reason: str) -> None:
    """A new version of who somebody is; the trail says that and why, never what."""
    acting.check("clinic identity")
    _reason(reason)
    _there(slice_of(acting, participant))
    _seal(acting, participant, identity, reason=reason)


@transaction.atomic
def read_identity(acting: ClinicActing, participant: str, *, reason: str) -> dict[str, str]:
    """Who somebody is; every reading is an event with its reason. Empty: nothing is kept, or it was erased."""
    acting.check("clinic identity")
    _reason(reason)
    _there(slice_of(acting, participant))
    append_event(acting.clinic.key, acting.actor, "read identity", "identity", participant, reason=reason)
    kept = Identity.objects.filter(clinic_key=acting.clinic.key, participant=participant).order_by("-version").first()
    key = key_of(acting.clinic.key, participant)
    if kept is None or key is None or is_erased(acting, participant):
        return {}
    try:
        found: dict[str, str] = json.loads(Fernet(key).decrypt(kept.sealed.encode()))
    except (InvalidToken, ValueError):
        raise InputError(
            "the key of this person does not open what the vault keeps; look at the folder of keys"
        ) from None
    return found


@transaction.atomic
def erase_identity(acting: ClinicActing, participant: str, *, reason: str) -> None:
    """Destroy the person's key: who they are is gone from every copy of the database, and the chain still verifies."""
    acting.check("clinic erase")
    _reason(reason)
    _there(slice_of(acting, participant))
    if not is_erased(acting, participant):
        Erasure.objects.create(clinic_key=acting.clinic.key, participant=participant)
        append_event(acting.clinic.key, acting.actor, "erase identity", "identity", participant, reason=reason)
    # Last of all: a failure after this line may lose the note of an erasure, never keep a name that should be gone.
    destroy_key(acting.clinic.key, participant)


def is_erased(acting: ClinicActing, participant: str) -> bool:
    """Whether the person's key was destroyed."""
    return Erasure.objects.filter(clinic_key=acting.clinic.key, participant=participant).exists()


def is_identified(acting: ClinicActing, participant: str) -> bool:
    """Whether the vault holds something of the person."""
    kept = Identity.objects.filter(clinic_key=acting.clinic.key, participant=participant)
    return kept.exists() and not is_erased(acting, participant)


@transaction.atomic
def record(
    acting: ClinicActing, participant: str, table: str, cells: Mapping[str, str], *, submission: str, reason: str = "",
    act: str = "clinic record",
) -> None:  # fmt: skip
    """Record one row of a participant: a course, an answer, an event, a drug, a follow-up, a stop, a consent."""
    acting.check(act)
    before = slice_of(acting, participant)
    _there(before)
    if again(acting, submission):
        return
    write(acting, before, [Change(table, numbered(before, table, cells))], action=f"record {table}", reason=reason)


def numbered(before: Slice, table: str, cells: Mapping[str, str]) -> dict[str, str]:
    """The cells with the id that a new row gets, and those that follow from where it stands."""
    given = dict(cells)
    person, course = before.participant, given.get("course", "")
    if table == "courses" and not given.get("course"):
        numbers = [c.number for c in before.registry.courses]
        given |= {"participant": person, "number": str(max(numbers, default=0) + 1)}
        given["course"] = before.fresh("courses", f"{person}-c")
    elif table == "assessments":
        given["assessment"] = "-".join(given.get(n, "") for n in ("course", "visit", "instrument", "item"))
    elif table == "adverse_events" and not given.get("event"):
        given["event"] = before.fresh("adverse_events", f"{course}-e")
    elif table == "medications" and not given.get("medication"):
        given["medication"] = before.fresh("medications", f"{course}-m")
    elif table == "consents":
        given["participant"] = person
    if course and table != "courses" and course not in before.rows["courses"]:
        raise InputError(Problem(f"{course!r} is no course of {person}", column="course"))
    return given


def participant_of_row(acting: ClinicActing, table: str, key: str) -> str:
    """Whose row this is; empty where the clinic has no such row."""
    found = Entry.objects.filter(clinic=acting.clinic, table=table, key=key).values_list("participant", flat=True)
    return found.first() or ""


def _seal(acting: ClinicActing, participant: str, identity: Mapping[str, str], *, reason: str = "") -> None:
    if is_erased(acting, participant):
        raise InputError(f"the identity of {participant} was erased and is not kept again")
    unknown = [name for name in identity if name not in IDENTITY_FIELDS]
    if unknown or any(len(text) > 500 for text in identity.values()):
        raise InputError(f"the vault keeps {', '.join(IDENTITY_FIELDS)}, each of at most 500 characters")
    filled = {name: text.strip() for name, text in identity.items() if text.strip()}
    sealed = Fernet(new_key(acting.clinic.key, participant)).encrypt(json.dumps(filled).encode()).decode()
    version = Identity.objects.filter(clinic_key=acting.clinic.key, participant=participant).count() + 1
    Identity.objects.create(clinic_key=acting.clinic.key, participant=participant, version=version, sealed=sealed)
    append_event(
        acting.clinic.key, acting.actor, "keep identity", "identity", participant, reason=reason, entity_version=version
    )


def _there(found: Slice) -> None:
    if found.participant not in found.rows["participants"]:
        raise InputError(f"there is no participant {found.participant!r} in this clinic")


def _reason(reason: str) -> None:
    if not reason.strip():
        raise InputError(Problem("say why", column="reason"))
