"""Who acts on a review: let in by membership and role, and named in every event."""

from __future__ import annotations

from dataclasses import dataclass

from balm.review.members.roles import may, why_not
from balm.store.events.chain import Actor
from balm.store.reviews.models import Member, Review


class Refused(Exception):
    """The person is a member, but their role does not allow the act. The message says who may."""


@dataclass(frozen=True, slots=True)
class Acting:
    """A member at work: the review, the membership, and the session and request the act came with."""

    review: Review
    member: Member
    session: str = ""
    request_id: str = ""

    @property
    def actor(self) -> Actor:
        """As events write it: the member's code, never an address."""
        return Actor(self.member.code, self.member.role, self.session, self.request_id)

    def may(self, act: str) -> bool:
        """Whether the member's role allows ``act``."""
        return may(self.member.role, act)

    def check(self, act: str) -> None:
        """:class:`Refused`, with the reason, where the member's role does not allow ``act``."""
        if reason := why_not(self.member.role, act):
            raise Refused(reason)


def acting_in(slug: str, user: object, *, session: str = "", request_id: str = "") -> Acting | None:
    """The membership of ``user`` in the review at ``slug``, or ``None``: a stranger is not told whether it exists."""
    member = (
        Member.objects.select_related("review")
        .filter(review__slug=slug, user=user, active=True, user__is_active=True)
        .first()
        if getattr(user, "is_authenticated", False)
        else None
    )
    return Acting(member.review, member, session, request_id) if member else None
