"""Clinics: starting one, its people, its definition."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.text import slugify

from balm.actions.clinic.acting import ClinicActing
from balm.registry.definition import INSTRUMENTS, default_definition_text, read_definition
from balm.registry.roles import LEAD, ROLES
from balm.store.accounts.models import User
from balm.store.events.chain import Actor, append_event, lock_chain
from balm.store.registry.models import Clinic, ClinicMember, Definition
from balm.vocabulary.problems import InputError, Problem, check_option

#: The largest definition or instrument that is taken.
MOST_TEXT = 200_000


def clinics_of(user: object) -> list[ClinicMember]:
    """The clinics a person takes part in."""
    if not getattr(user, "is_authenticated", False):
        return []
    found = ClinicMember.objects.select_related("clinic").filter(user=user, active=True)
    return list(found.order_by("clinic__title"))


@transaction.atomic
def start_clinic(
    *, title: str, user: User, code: str, name: str, definition: str = "", country: str = "",
    timezone: str = "Europe/Brussels",
) -> Clinic:  # fmt: skip
    """A clinic with its first member, who leads it. Without ``definition`` the default one, with the clinic's name."""
    title = " ".join(title.split())
    if not 0 < len(title) <= 300:
        raise InputError(Problem("a clinic needs a name of at most 300 characters", column="title"))
    text = definition or _named(title, country, timezone)
    found, problems = read_definition(text)
    if found is None:
        raise InputError(problems)
    lock_chain("server")
    clinic = Clinic.objects.create(slug=_free_slug(title), title=title, simulated=found.simulated)
    member = ClinicMember.objects.create(clinic=clinic, user=user, code=code, name=name, role=LEAD)
    Definition.objects.create(clinic=clinic, number=1, text=text, code=member.code)
    append_event(clinic.key, Actor(code, LEAD), "start clinic", "clinic", clinic.slug, after={"definition": text})
    return clinic


@transaction.atomic
def add_clinic_member(acting: ClinicActing, *, email: str, role: str) -> ClinicMember:
    """Let somebody with an account on this server into the clinic, or change the role of who is in."""
    acting.check("clinic members")
    check_option("role", role, list(ROLES))
    lock_chain(acting.clinic.key)
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        raise InputError(
            Problem("there is no account with this address on this server; invite them instead", column="email")
        )
    member = ClinicMember.objects.filter(clinic=acting.clinic, user=user).first()
    before = None if member is None else {"role": member.role, "active": member.active}
    if member is None:
        member = ClinicMember(clinic=acting.clinic, user=user, code=free_code(acting.clinic, user.name or "person"))
        member.name = user.name or member.code
    member.role, member.active = role, True
    _keeps_a_lead(acting, member)
    member.save()
    append_event(
        acting.clinic.key, acting.actor, "set role", "member", member.code, before=before,
        after={"role": role, "active": True},
    )  # fmt: skip
    return member


@transaction.atomic
def remove_clinic_member(acting: ClinicActing, code: str, *, reason: str) -> None:
    """Take somebody out of the clinic; what they recorded stays theirs."""
    acting.check("clinic members")
    if not reason.strip():
        raise InputError(Problem("say why", column="reason"))
    lock_chain(acting.clinic.key)
    member = ClinicMember.objects.filter(clinic=acting.clinic, code=code, active=True).first()
    if member is None:
        raise InputError(f"there is no {code!r} in this clinic")
    member.active = False
    _keeps_a_lead(acting, member)
    member.save(update_fields=["active"])
    append_event(
        acting.clinic.key, acting.actor, "remove member", "member", code, before={"role": member.role}, reason=reason
    )


@transaction.atomic
def change_definition(
    acting: ClinicActing, *, text: str = "", instrument: tuple[str, str] | None = None, reason: str
) -> Definition:
    """A new version of ``registry.toml``, or a loaded instrument; what cannot be read changes nothing."""
    acting.check("clinic set up")
    if not reason.strip():
        raise InputError(Problem("a change of the definition needs a reason", column="reason"))
    lock_chain(acting.clinic.key)
    kept = Definition.objects.filter(clinic=acting.clinic).order_by("-number").first()
    assert kept is not None
    new = text or kept.text
    instruments = dict(kept.instruments)
    if instrument is not None:
        name, body = instrument
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}\.toml", name):
            raise InputError(Problem("an instrument is a file such as bpi.toml", column="file"))
        instruments[f"{INSTRUMENTS}{name}"] = body
    if max(len(new), *(len(t) for t in instruments.values()), 0) > MOST_TEXT:
        raise InputError(f"holds more than {MOST_TEXT:,} characters")
    found, problems = read_definition(new, {n: t.encode() for n, t in instruments.items()})
    if found is None:
        raise InputError(problems)
    if found.simulated != acting.clinic.simulated:
        raise InputError("what is simulated stays simulated, and what is real stays real: start another clinic")
    made = Definition.objects.create(
        clinic=acting.clinic, number=kept.number + 1, text=new, instruments=instruments, code=acting.code, reason=reason
    )
    append_event(
        acting.clinic.key, acting.actor, "change definition", "definition", str(made.number),
        before={"definition": kept.text, "instruments": kept.instruments},
        after={"definition": new, "instruments": instruments}, reason=reason,
    )  # fmt: skip
    return made


def _keeps_a_lead(acting: ClinicActing, member: ClinicMember) -> None:
    others = (
        ClinicMember.objects.filter(clinic=acting.clinic, role=LEAD, active=True)
        .exclude(pk=member.pk)
        .exclude(user=None)
    )
    if not others.exists() and not (member.active and member.role == LEAD and member.user_id):
        raise InputError("a clinic keeps at least one clinic lead; make somebody else a lead first")


def _free_slug(title: str) -> str:
    stem = slugify(title)[:60] or "clinic"
    slug, number = stem, 2
    while Clinic.objects.filter(slug=slug).exists():
        slug, number = f"{stem}-{number}", number + 1
    return slug


def free_code(clinic: Clinic, name: str) -> str:
    """A code for a new member, from the name and never from the address."""
    stem = slugify(name.split()[0])[:40] or "person"
    code, number = stem, 2
    while ClinicMember.objects.filter(clinic=clinic, code=code).exists():
        code, number = f"{stem}{number}", number + 1
    return code


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _named(title: str, country: str, timezone: str) -> str:
    text = default_definition_text()
    for old, new in (
        ('title = "Registry"', f"title = {_quoted(title)}"),
        ('name = "Our clinic"', f"name = {_quoted(title)}"),
        ('country = ""', f"country = {_quoted(country)}"),
        ('timezone = "Europe/Brussels"', f"timezone = {_quoted(timezone)}"),
    ):
        text = text.replace(old, new, 1)
    return text
