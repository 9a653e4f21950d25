"""Recommendations that rest on this review: the certainty beneath them, their strength, and whether they are stale.

A statement of ``guidance/*.toml`` says so itself: ``analyses`` it rests on, the ``version`` of the review it was made
from, its ``strength``, and the ``exception`` that allows a strong one on low certainty.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from balm.review.certainty.of_analysis import bases_of
from balm.review.certainty.on_record import standing
from balm.review.certainty.strength import EXCEPTIONS, strength_problem
from balm.review.certainty.words import LEVELS, OVERALL
from balm.review.living.history import own_versions
from balm.review.package import Package
from balm.review.synthesis import analyse
from balm.vocabulary.evidence import GuidanceStatement
from balm.vocabulary.problems import Problem


@dataclass(frozen=True, slots=True)
class Footing:
    """What a recommendation stands on. ``certainty`` is the lowest decided one of its analyses (GRADE: of the outcomes
    critical to the decision), or as the statement gives it; empty where none is known. ``problem``: why strength and
    certainty do not go together; ``stale``: why it is to be made again. Both empty where there is nothing."""

    certainty: str
    problem: str
    stale: str


def stale_ratings(package: Package) -> frozenset[str]:
    """Analyses that a statement rests on and whose certainty was decided on other data or judgements."""
    named = {a for s in package.guidance for a in s.analyses}
    found = set()
    for spec in package.meta.analyses:
        overall = standing(package.certainty, spec.id).get(OVERALL) if spec.id in named else None
        if overall is not None and overall.basis is not None:
            found |= {spec.id} if overall.basis not in bases_of(package, analyse(package, spec)) else set()
    return frozenset(found)


def footing(package: Package, statement: GuidanceStatement, stale: Collection[str] = ()) -> Footing:
    """What one statement stands on; ``stale`` names the analyses whose rating is (:func:`stale_ratings`)."""
    decided = [standing(package.certainty, a).get(OVERALL) for a in statement.analyses]
    ratings = [row.rating for row in decided if row is not None and row.rating in LEVELS]
    open_ = [a for a, row in zip(statement.analyses, decided, strict=True) if row is None]
    if not ratings:
        open_ = list(statement.analyses)
    if statement.analyses:
        certainty = min(ratings, key=LEVELS.index, default="")
    else:
        certainty = statement.certainty if statement.certainty in LEVELS else ""
    problem = ""
    if statement.strength is None:
        problem = "an exception is named, but no strength; give both or neither" if statement.exception else ""
    elif open_:
        problem = f"the certainty of {', '.join(open_)} is not decided; rate it first"
    elif certainty:
        problem = strength_problem(statement.strength, certainty, statement.exception) or ""
    return Footing(certainty, problem, _stale(package, statement, stale))


def _stale(package: Package, statement: GuidanceStatement, stale: Collection[str]) -> str:
    own = own_versions(package)
    whys = []
    if statement.version is not None and own and own[-1].version != statement.version:
        whys.append(f"rests on version {statement.version}; the review has come to version {own[-1].version}")
    if other := [a for a in statement.analyses if a in stale]:
        whys.append(f"data or judgements behind the certainty of {', '.join(other)} have changed since it was rated")
    return "; ".join(whys)


def remarks(package: Package, statement: GuidanceStatement, stale: Collection[str] = ()) -> tuple[str, ...]:
    """What a page says beside a recommendation: strength, certainty and exception, what is wrong, what is stale."""
    found = footing(package, statement, stale)
    said = []
    if statement.strength is not None:
        words = f"{statement.strength} recommendation" + (f" on {found.certainty} certainty" if found.certainty else "")
        said.append(words + (f"; exception: {EXCEPTIONS[statement.exception]}" if statement.exception else ""))
    elif statement.analyses and found.certainty:
        said.append(f"rests on {found.certainty} certainty")
    said += [found.problem] if found.problem else []
    return (*said, f"stale: {found.stale}") if found.stale else tuple(said)


def recommendation_problems(package: Package) -> tuple[Problem, ...]:
    """Strengths that do not go with the certainty of this review's analyses, each with its way out. Statements of
    others that name no analysis stand as published; :func:`remarks` says it beside them."""
    found = []
    for s in package.guidance:
        if not s.analyses and s.exception is None:
            continue
        if reason := footing(package, s).problem:
            column = "strength" if s.exception is None else "exception"
            found.append(Problem(f"statement {s.id}: {reason}", file=s.file, row=s.row, column=column))
    return tuple(found)
