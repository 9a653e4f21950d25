"""When the roles of a review may change: a review always has a lead."""

from __future__ import annotations

from collections.abc import Mapping

from balm.review.members.roles import LEAD, ROLES
from balm.vocabulary.problems import InputError, unknown_option


def check_role(role: str) -> None:
    """:class:`InputError` unless ``role`` is one of the roles.

    >>> check_role("viewer")
    """
    if role not in ROLES:
        raise unknown_option("role", role, list(ROLES))


def check_lead_stays(roles: Mapping[str, str]) -> None:
    """:class:`InputError` where nobody would be lead; ``roles`` is member -> role of those who stay.

    >>> check_lead_stays({"ana": "lead", "ben": "viewer"})
    """
    if LEAD not in roles.values():
        raise InputError("a review needs a lead; make somebody else lead first")
