"""Decisions of ``network_certainty.csv``: what contradicts GRADE or the network in them, and the ones that stand."""

from __future__ import annotations

from collections.abc import Sequence

from balm.review.certainty.words import OVERALL, allowed_ratings
from balm.review.networks.planned import folded, names_of
from balm.review.package import Meta
from balm.review.tables import unknown_name
from balm.vocabulary.evidence import Arm, NetworkCertaintyJudgement
from balm.vocabulary.problems import Problem

FILE = "network_certainty.csv"


def network_certainty_problems(
    rows: Sequence[NetworkCertaintyJudgement], meta: Meta, arms: Sequence[Arm]
) -> list[Problem]:
    """Rows about treatments that the network does not have, ratings that the domain does not have, changes of a
    proposal without a reason."""
    problems: list[Problem] = []
    names = {spec.id: names_of(spec, arms) for spec in meta.networks} if rows else {}
    for r in rows:

        def wrong(column: str, reason: str, row: NetworkCertaintyJudgement = r) -> None:
            place = f"network {row.network}, {row.treatment} against {row.against}: {reason}"
            problems.append(Problem(place, file=FILE, row=row.row, column=column))

        known = names.get(r.network)
        shown = {folded(name) for name in known.values()} if known else set()
        for column, name in (("treatment", r.treatment), ("against", r.against)):
            if known and folded(name) not in shown:
                wrong(column, unknown_name("a treatment of it", name, sorted(set(known.values()))))
        if folded(r.treatment) == folded(r.against):
            wrong("against", "names the same treatment; a comparison has two")
        allowed = allowed_ratings(r.domain)
        for column, rating in (("rating", r.rating), ("proposed", r.proposed)):
            if rating is not None and rating not in allowed:
                wrong(column, f"{r.domain} is rated {', '.join(allowed)}; got {rating!r}")
        if r.proposed is not None and r.proposed != r.rating and not r.reason:
            wrong("reason", f"{r.rating!r} was decided where {r.proposed!r} is proposed; say why")
        if r.domain != OVERALL and r.basis is not None:
            wrong("basis", f"belongs to the row of the domain {OVERALL!r}")
    return problems


def network_standing(
    rows: Sequence[NetworkCertaintyJudgement], network: str
) -> dict[frozenset[str], dict[str, NetworkCertaintyJudgement]]:
    """The two treatments, folded -> domain -> the decision that stands: the last one on record."""
    found: dict[frozenset[str], dict[str, NetworkCertaintyJudgement]] = {}
    for r in rows:
        if r.network == network:
            found.setdefault(frozenset((folded(r.treatment), folded(r.against))), {})[r.domain] = r
    return found
