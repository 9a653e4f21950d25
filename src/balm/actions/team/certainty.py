"""Rate certainty: one's own rating, what two raters agree on, what a third person settles, into ``certainty.csv``.

The rules propose (:mod:`balm.review.certainty.proposing`); here a person's decision is kept with the proposal beside
it. A decision rests on the data it was made on, named by their ``basis``: when they change it is stale, and is made
anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.rows import append_rows
from balm.actions.team.synthesis import current_analysis, current_synthesis
from balm.actions.team.taken_home import check_knows_nothing_of
from balm.review.certainty.deciding import Decision, decide, rows_of
from balm.review.certainty.on_record import FILE
from balm.review.certainty.raters import Raters, why_not_propose, why_not_rate, why_not_settle
from balm.review.certainty.rating import Certainty, certainties, certainty_of
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult
from balm.store.certainty.models import Agreed, Rating, Suggestion
from balm.store.certainty.standing import agreed_on, decision_of, raters_of, rating_of, suggestions_for
from balm.store.events.chain import append_event, lock_chain
from balm.store.reviews.models import Review
from balm.store.synthesis.current import current_package, data_stamp, kept_for
from balm.vocabulary.problems import InputError, Problem, unknown_option

Kept = TypeVar("Kept", Rating, Suggestion, Agreed)
CHANGED = "the data have changed since you opened this page; look at the new proposals"


def current_certainties(review: Review) -> dict[str, Certainty]:
    """The certainty of every planned analysis as it stands; worked out once for each state of the data."""
    found: dict[str, Certainty] = kept_for(
        ("certainties", review.key), data_stamp(review), lambda: certainties(current_synthesis(review))
    )
    return found


def current_certainty(review: Review, analysis: str) -> tuple[Package, AnalysisResult, Certainty]:
    """One analysis on the rows as they stand, with what its rating rests on."""
    package = current_package(review)
    spec = next((s for s in package.meta.analyses if s.id == analysis), None)
    if spec is None:
        raise unknown_option("analysis", analysis, [s.id for s in package.meta.analyses])
    result = current_analysis(review, spec)
    certainty: Certainty = kept_for(
        ("certainty", review.key, analysis), data_stamp(review), lambda: certainty_of(package, result)
    )
    return package, result, certainty


@transaction.atomic
def rate(
    acting: Acting,
    analysis: str,
    *,
    submission: str,
    basis: str,
    ratings: Mapping[str, str],
    reasons: Mapping[str, str],
    **fields: str,
) -> Rating:
    """Rate an analysis on one's own. Sent twice it counts once; a change of mind is a new row.

    ``basis`` names the data that the person saw. Where the plan asks for two raters nothing is shown to anybody until
    both have rated on the same data; where they then say the same it is agreed.
    """
    acting.check("rate certainty")
    _check_sent(submission)
    current_certainty(acting.review, analysis)  # computed before the chain is locked
    lock_chain(acting.review.key)
    package, result, now = current_certainty(acting.review, analysis)
    if (sent := _sent_before(Rating, acting, analysis, submission)) is not None:
        _same_as_sent(sent, decide(package, result, ratings=ratings, reasons=reasons, **fields))
        return sent
    if basis != now.basis:
        raise InputError(CHANGED)
    asked = package.meta.certainty.raters
    standing = raters_of(acting.review, analysis, basis, asked)
    if refused := why_not_rate(standing):
        raise InputError(refused)
    decision = decide(package, result, ratings=ratings, reasons=reasons, **fields)
    before = rating_of(acting.review, analysis, basis, acting.member.code)
    if before is None and asked > 1:
        others = Rating.objects.filter(review=acting.review, analysis=analysis, basis=basis)
        check_knows_nothing_of(acting, result.title, others.values_list("at", flat=True))
    row = Rating.objects.create(
        review=acting.review, member=acting.member, analysis=analysis, basis=basis, submission=submission,
        turn=before.turn + 1 if before else 1, decision=decision.plain(),
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "rate", "certainty rating", f"{analysis}/{basis}",
        before=None if before is None else before.decision, after=row.decision, entity_version=row.turn,
    )  # fmt: skip
    _after_rating(acting, row, decision, raters_of(acting.review, analysis, basis, asked))
    return row


@transaction.atomic
def settle(
    acting: Acting,
    analysis: str,
    *,
    submission: str,
    basis: str,
    ratings: Mapping[str, str],
    reasons: Mapping[str, str],
    why: str = "",
    seen: int = 0,
    **fields: str,
) -> Agreed | Suggestion:
    """Agree on an analysis that two people have rated: a third person settles it, a rater proposes.

    A proposal is agreed when the other rater's last proposal says the same. ``seen`` is the turn of the agreement that
    the person saw (0 for none): what somebody else has agreed since is not overwritten.
    """
    _check_sent(submission)
    current_certainty(acting.review, analysis)
    lock_chain(acting.review.key)
    package, result, now = current_certainty(acting.review, analysis)
    standing = raters_of(acting.review, analysis, now.basis, package.meta.certainty.raters)
    proposes = acting.member.code in standing.rated
    acting.check("discuss" if proposes else "agree")
    refused = (why_not_propose if proposes else why_not_settle)(acting.member.code, standing)
    if refused:
        raise InputError(refused) if not standing.revealed else Refused(refused)
    model = Suggestion if proposes else Agreed
    decision = decide(package, result, ratings=ratings, reasons=reasons, **fields)
    if (sent := _sent_before(model, acting, analysis, submission)) is not None:
        _same_as_sent(sent, decision)
        return sent  # type: ignore[return-value]
    if basis != now.basis:
        raise InputError(CHANGED)
    agreed = agreed_on(acting.review, analysis, basis)
    turn = agreed.turn if agreed else 0
    if seen != turn:
        raise InputError("somebody else has settled this since you opened it; load the page again to see it")
    why = why.strip()
    if len(why) > 5000 or any(c < " " and c not in "\n\r\t" for c in why):
        raise InputError(Problem("must be plain text of at most 5,000 characters", column="why"))
    if not proposes:
        if not why:
            raise InputError(Problem("say why it is settled so", column="why"))
        return _agree(acting, analysis, basis, decision, standing, submission, why, turn)
    row = Suggestion.objects.create(
        review=acting.review, member=acting.member, analysis=analysis, basis=basis, submission=submission,
        turn=turn + 1, decision=decision.plain(), reason=why,
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "propose", "certainty", f"{analysis}/{basis}", after=row.decision,
        reason=why, entity_version=row.turn,
    )  # fmt: skip
    said = suggestions_for(acting.review, analysis, basis, turn + 1)
    if set(said) >= set(standing.rated) and len({decision_of(said[c]).said for c in standing.rated}) == 1:
        both = _joined({c: said[c].reason for c in standing.rated})
        reason = f"agreed in discussion by {' and '.join(standing.rated)}" + (f": {both}" if both else "")
        joined = _in_both_words({c: decision_of(said[c]) for c in standing.rated})
        _agree(acting, analysis, basis, joined, standing, submission, reason, turn)
    return row


def _after_rating(acting: Acting, row: Rating, decision: Decision, standing: Raters) -> None:
    """Write what is decided by one person, or said alike by two."""
    agreed = agreed_on(acting.review, row.analysis, row.basis)
    turn = agreed.turn if agreed else 0
    if standing.asked == 1:
        alone = Raters(1, (acting.member.code,))
        _agree(acting, row.analysis, row.basis, decision, alone, row.submission, "", turn)
    elif standing.revealed and agreed is None:
        rows = {c: rating_of(acting.review, row.analysis, row.basis, c) for c in standing.rated}
        said = {c: decision_of(r) for c, r in rows.items() if r is not None}
        if len({d.said for d in said.values()}) == 1:
            _agree(acting, row.analysis, row.basis, _in_both_words(said), standing, row.submission,
                   "both raters say the same", turn)  # fmt: skip


def _agree(
    acting: Acting,
    analysis: str,
    basis: str,
    decision: Decision,
    standing: Raters,
    submission: str,
    reason: str,
    turn: int,
) -> Agreed:
    """Keep what is agreed, and append it to ``certainty.csv``: earlier decisions stay on record."""
    row = Agreed.objects.create(
        review=acting.review, member=acting.member, analysis=analysis, basis=basis, submission=submission,
        turn=turn + 1, decision=decision.plain(), assessors=list(standing.rated), reason=reason,
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "agree", "certainty", f"{analysis}/{basis}", after=row.decision,
        reason=reason, entity_version=row.turn,
    )  # fmt: skip
    assessor = standing.rated[0] if len(standing.rated) == 1 else f"consensus of {' and '.join(standing.rated)}"
    time = row.at.isoformat(timespec="microseconds")
    append_rows(acting, FILE, rows_of(decision, assessor=assessor, basis=basis, time=time), reason=reason)
    return row


def _in_both_words(said: Mapping[str, Decision]) -> Decision:
    """One decision in the words of all who said it."""
    first = next(iter(said.values())).plain()
    for i, domain in enumerate(first["domains"]):
        domain["reason"] = _joined({who: d.domains[i].reason for who, d in said.items()})
    for name in ("reason", "baseline_source"):
        first[name] = _joined({who: getattr(d, name) for who, d in said.items()})
    return Decision.of(first)


def _joined(texts: Mapping[str, str]) -> str:
    """Everybody's words, each with whose they are; once where they are the same."""
    said = dict.fromkeys(text for text in texts.values() if text)
    if len(said) < 2:
        return next(iter(said), "")
    return "; ".join(f"{who}: {text}" for who, text in texts.items() if text)


def _sent_before(model: type[Kept], acting: Acting, analysis: str, submission: str) -> Kept | None:
    sent = model.objects.filter(member=acting.member, submission=submission).first()
    if sent is not None and sent.analysis != analysis:
        raise InputError(Problem("belongs to another rating; load the page again", column="submission"))
    return sent


def _same_as_sent(sent: Any, decision: Decision) -> None:
    if decision_of(sent).plain() != decision.plain():
        raise InputError("you have saved this rating in another window since; load the page again to see it")


def _check_sent(text: str) -> None:
    if not 1 <= len(text) <= 64 or not text.isprintable():
        raise InputError(Problem("must be 1 to 64 plain characters; load the page again", column="submission"))
