"""When a whole import may be taken back: as long as nothing was decided on its records."""

from __future__ import annotations

from collections.abc import Iterable, Set

from balm.review.deduplication.decided import in_force, reports_of
from balm.vocabulary.evidence import DuplicateDecision


def why_it_stays(
    records: Set[str], decisions: Iterable[DuplicateDecision], *, in_batches: Set[str], linked: Set[str]
) -> str:
    """The reason an import with ``records`` cannot be taken back any more; empty when it can.

    ``in_batches`` are the records handed out for screening, ``linked`` those that lead to a report. Being handed out
    counts, not being voted on: whether somebody has voted must not be told from the answer.

    >>> why_it_stays({"a"}, [], in_batches={"a"}, linked=set())
    'a record of it (a) was handed out for screening'
    """
    rows = list(decisions)
    reports = {record for report in reports_of(rows) if records & set(report) for record in report}
    for record in sorted((reports | records) & in_batches):
        return f"a record of it ({record}) was handed out for screening"
    for record in sorted(records & linked):
        return f"a record of it ({record}) leads to a report already"
    for (one, two), decision in in_force(rows).items():
        if one in records or two in records:
            return f"{decision.person} decided on {one} and {two}; take that decision back first"
    return ""
