"""Who acts in a clinic: let in by membership and role, and named by code in every row and event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from balm.actions.team.acting import Refused
from balm.registry.definition import Definition
from balm.registry.roles import may, why_not
from balm.store.events.chain import Actor
from balm.store.registry.models import PATIENT, Clinic, ClinicMember


@dataclass(frozen=True, slots=True)
class ClinicActing:
    """A member at work; ``member`` is ``None`` for a patient who answers by a link."""

    clinic: Clinic
    member: ClinicMember | None
    session: str = ""
    request_id: str = ""

    @property
    def code(self) -> str:
        """As rows write it."""
        return self.member.code if self.member else PATIENT

    @property
    def role(self) -> str:
        """The member's role."""
        return self.member.role if self.member else "patient"

    @property
    def actor(self) -> Actor:
        """As events write it."""
        return Actor(self.code, self.role, self.session, self.request_id)

    def may(self, act: str) -> bool:
        """Whether the member's role allows ``act``."""
        return self.member is not None and may(self.member.role, act)

    def check(self, act: str) -> None:
        """:class:`Refused`, with the reason, where the role does not allow ``act``."""
        if self.member is None:
            raise Refused("only members of the clinic may do this")
        if reason := why_not(self.member.role, act):
            raise Refused(reason)


def acting_in_clinic(slug: str, user: object, *, session: str = "", request_id: str = "") -> ClinicActing | None:
    """The membership of ``user`` in the clinic at ``slug``, or ``None``: a stranger is not told whether it exists."""
    if not getattr(user, "is_authenticated", False):
        return None
    member = (
        ClinicMember.objects.select_related("clinic")
        .filter(clinic__slug=slug, user=user, active=True, user__is_active=True)
        .first()
    )
    return ClinicActing(member.clinic, member, session, request_id) if member else None


def clock(definition: Definition) -> datetime:
    """The clinic's clock: local time of its first site, without a zone, as its tables keep it."""
    return timezone.now().astimezone(ZoneInfo(definition.sites[0].timezone)).replace(tzinfo=None, microsecond=0)


def today(definition: Definition) -> date:
    """The clinic's day."""
    return clock(definition).date()
