"""Rate certainty: one's own rating, what two raters agree on, what a third person settles, into the review's tables.

Planned analyses (``certainty.csv``) and comparisons of networks (``network_certainty.csv``) are rated alike.

The rules propose (:mod:`balm.review.certainty.proposing`); here a person's decision is kept with the proposal beside
it. A decision rests on the data it was made on, named by their ``basis``: when they change it is stale, and is made
anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import transaction

from balm.actions.certainty import as_plain
from balm.actions.network_certainty import network_as_plain
from balm.actions.team.acting import Acting, Refused
from balm.actions.team.rows import append_rows
from balm.actions.team.synthesis import current_analysis, current_synthesis
from balm.actions.team.taken_home import check_knows_nothing_of
from balm.review.certainty.deciding import Decision
from balm.review.certainty.raters import Raters, why_not_propose, why_not_rate, why_not_settle
from balm.review.certainty.rating import Certainty
from balm.review.certainty.to_rate import ComparisonToRate, ToRate, analysis_to_rate, comparisons_to_rate
from balm.review.networks.analysed import analyse_network
from balm.review.package import NetworkSpec
from balm.store.certainty.models import Agreed, Rating, Suggestion
from balm.store.certainty.standing import agreed_on, decision_of, raters_of, rating_of, suggestions_for
from balm.store.events.chain import append_event, lock_chain
from balm.store.reviews.models import Review
from balm.store.synthesis.current import current_package, data_stamp, kept_for
from balm.vocabulary.problems import InputError, Problem, unknown_option

Kept = TypeVar("Kept", Rating, Suggestion, Agreed)
CHANGED = "the data have changed since you opened this page; look at the new proposals"


def current_to_rate(review: Review) -> dict[str, ToRate]:
    """Everything there is to rate as it stands, by its key: every planned analysis, every comparison of a network."""
    found: dict[str, ToRate] = dict(
        kept_for(
            ("certainties", review.key),
            data_stamp(review),
            lambda: {a.id: analysis_to_rate(current_package(review), a) for a in current_synthesis(review).analyses},
        )
    )
    for spec in current_package(review).meta.networks:
        found |= current_comparisons(review, spec)
    return found


def current_comparisons(review: Review, spec: NetworkSpec) -> dict[str, ComparisonToRate]:
    """The comparisons of one network on the rows as they stand, by their keys; worked out once for each state."""
    package = current_package(review)
    found: dict[str, ComparisonToRate] = kept_for(
        ("comparisons", review.key, spec.id),
        data_stamp(review),
        lambda: comparisons_to_rate(package, analyse_network(package, spec)),
    )
    return found


def one_to_rate(review: Review, key: str) -> ToRate:
    """One analysis, or one comparison of a network, on the rows as they stand."""
    package = current_package(review)
    spec = next((s for s in package.meta.analyses if s.id == key), None)
    if spec is not None:
        result = current_analysis(review, spec)
        found: ToRate = kept_for(
            ("certainty", review.key, key), data_stamp(review), lambda: analysis_to_rate(package, result)
        )
        return found
    for network in package.meta.networks:
        if key.startswith(f"{network.id}:") and (comparison := current_comparisons(review, network).get(key)):
            return comparison
    raise unknown_option("analysis", key, [s.id for s in package.meta.analyses])


def may_be_rated(review: Review, key: str) -> bool:
    """Whether the review has this analysis or comparison."""
    meta = current_package(review).meta
    return any(s.id == key for s in meta.analyses) or any(
        key.startswith(f"{n.id}:") and key in current_comparisons(review, n) for n in meta.networks
    )


def to_rate_as_plain(it: ToRate) -> dict[str, Any]:
    """An analysis or a comparison as values for JSON; ``analysis`` is the key that the other calls take."""
    c = it.certainty
    return {"analysis": it.key} | (as_plain(c) if isinstance(c, Certainty) else network_as_plain(c))


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
    it = _locked(acting, analysis)
    if (sent := _sent_before(Rating, acting, analysis, submission)) is not None:
        _same_as_sent(sent, it.decide(ratings=ratings, reasons=reasons, **fields))
        return sent
    if basis != it.certainty.basis:
        raise InputError(CHANGED)
    asked = raters_asked(acting.review)
    standing = raters_of(acting.review, analysis, basis, asked)
    if refused := why_not_rate(standing):
        raise InputError(refused)
    decision = it.decide(ratings=ratings, reasons=reasons, **fields)
    before = rating_of(acting.review, analysis, basis, acting.member.code)
    if before is None and asked > 1:
        others = Rating.objects.filter(review=acting.review, analysis=analysis, basis=basis)
        check_knows_nothing_of(acting, it.title, others.values_list("at", flat=True))
    row = Rating.objects.create(
        review=acting.review, member=acting.member, analysis=analysis, basis=basis, submission=submission,
        turn=before.turn + 1 if before else 1, decision=decision.plain(),
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "rate", "certainty rating", f"{analysis}/{basis}",
        before=None if before is None else before.decision, after=row.decision, entity_version=row.turn,
    )  # fmt: skip
    _after_rating(acting, it, row, decision, raters_of(acting.review, analysis, basis, asked))
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
    it = _locked(acting, analysis)
    now = it.certainty
    standing = raters_of(acting.review, analysis, now.basis, raters_asked(acting.review))
    proposes = acting.member.code in standing.rated
    acting.check("discuss" if proposes else "agree")
    refused = (why_not_propose if proposes else why_not_settle)(acting.member.code, standing)
    if refused:
        raise InputError(refused) if not standing.revealed else Refused(refused)
    model = Suggestion if proposes else Agreed
    decision = it.decide(ratings=ratings, reasons=reasons, **fields)
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
        return _agree(acting, it, decision, standing, submission, why, turn)
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
        _agree(acting, it, joined, standing, submission, reason, turn)
    return row


def _after_rating(acting: Acting, it: ToRate, row: Rating, decision: Decision, standing: Raters) -> None:
    """Write what is decided by one person, or said alike by two."""
    agreed = agreed_on(acting.review, row.analysis, row.basis)
    turn = agreed.turn if agreed else 0
    if standing.asked == 1:
        alone = Raters(1, (acting.member.code,))
        _agree(acting, it, decision, alone, row.submission, "", turn)
    elif standing.revealed and agreed is None:
        rows = {c: rating_of(acting.review, row.analysis, row.basis, c) for c in standing.rated}
        said = {c: decision_of(r) for c, r in rows.items() if r is not None}
        if len({d.said for d in said.values()}) == 1:
            both = _in_both_words(said)
            _agree(acting, it, both, standing, row.submission, "both raters say the same", turn)


def _agree(
    acting: Acting, it: ToRate, decision: Decision, standing: Raters, submission: str, reason: str, turn: int
) -> Agreed:
    """Keep what is agreed, and append it to its table: earlier decisions stay on record."""
    analysis, basis = it.key, it.certainty.basis
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
    append_rows(acting, it.file, it.rows(decision, assessor=assessor, time=time), reason=reason)
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


def raters_asked(review: Review) -> int:
    """How many people rate each, as the plan asks."""
    return current_package(review).meta.certainty.raters


def _locked(acting: Acting, key: str) -> ToRate:
    """What is rated, as it stands once nobody else can change the review."""
    one_to_rate(acting.review, key)  # computed before the chain is locked
    lock_chain(acting.review.key)
    return one_to_rate(acting.review, key)


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
