"""How the retrieval of a report stands: sought, obtained, or not retrieved and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from balm.vocabulary.problems import InputError, Problem, check_option

SOUGHT, OBTAINED, NOT_RETRIEVED = "sought", "obtained", "not retrieved"
#: What an attempt can say. A report nobody has looked for yet has no status.
STATUSES: Final = (SOUGHT, OBTAINED, NOT_RETRIEVED)
#: The longest note on an attempt, in characters.
NOTE: Final = 1000


def check_attempt(status: str, on: str, note: str, *, today: date) -> date:
    """The day of an attempt, once it may be kept: a known status, a day that has come, a reason where none was found.

    A day may be one ahead of the server's, because it is tomorrow already for some people.

    >>> check_attempt("sought", "2026-03-01", "", today=date(2026, 3, 2))
    datetime.date(2026, 3, 1)
    """
    check_option("status", status, STATUSES)
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise InputError(Problem(f"must be a day as YYYY-MM-DD; got {on!r}", column="date")) from None
    if day > today + timedelta(days=1):
        raise InputError(Problem(f"must not lie in the future; got {on}", column="date"))
    if day.year < 1900:
        raise InputError(Problem(f"must be 1900 or later; got {on}", column="date"))
    if status == NOT_RETRIEVED and not note.strip():
        raise InputError(Problem("say why the report could not be had; PRISMA asks for it", column="note"))
    if len(note) > NOTE:
        raise InputError(Problem(f"holds {len(note):,} characters; at most {NOTE:,} are kept", column="note"))
    return day
