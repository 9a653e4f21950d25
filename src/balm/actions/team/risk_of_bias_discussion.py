"""Agree on risk of bias in discussion: each assessor proposes; when both propose the same, it is agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.risk_of_bias import (
    agreed_between,
    check_sent,
    columns_of,
    judgements_under,
    same_as_sent,
    sent_before,
    values_of,
    words_of_both,
    write_agreed,
)
from balm.review.risk_of_bias.instrument import instrument
from balm.review.risk_of_bias.settled import Settled, settle, text_problems
from balm.review.risk_of_bias.standing import Standing, why_not_decide, why_not_propose
from balm.review.risk_of_bias.targets import Target
from balm.review.risk_of_bias.words import OVERALL
from balm.store.events.chain import append_event, lock_chain
from balm.store.risk_of_bias.models import Proposal
from balm.store.risk_of_bias.standing import agreed_of, of_target, proposals_of, standing_of
from balm.vocabulary.problems import InputError


@transaction.atomic
def propose(
    acting: Acting,
    target: Target,
    domain: str,
    *,
    submission: str,
    answers: Mapping[str, str],
    reason: str = "",
    seen: int = 0,
    **fields: str,
) -> Proposal:
    """Propose how a domain is to be judged. It is agreed with the proposal that makes both assessors say the same:
    judgement, answers and direction; how they word the support is kept from both.

    ``seen`` is the turn of the agreement that the person saw (0 for none): a new one makes older proposals void.
    """
    acting.check("discuss")
    check_sent(submission)
    head = lock_chain(acting.review.key)
    standing = standing_of(acting.review, target)
    if refused := why_not_decide(standing):
        raise InputError(refused)
    if refused := why_not_propose(acting.member.code, standing):
        raise Refused(refused)
    agreed = agreed_of(acting.review, target)
    if domain == OVERALL:
        answers = judgements_under(target, agreed)
    sent = sent_before(Proposal, acting, target, domain, submission)
    settled = settle(instrument(target.instrument), domain, answers=answers, **fields)
    if sent is not None:
        same_as_sent(sent, settled)
        return sent
    if seen != (agreed[domain].turn if domain in agreed else 0):
        raise InputError("this domain was settled since you opened it; load the page again to see it")
    if problems := text_problems("reason", reason):
        raise InputError(problems)
    row = Proposal.objects.create(
        review=acting.review, member=acting.member, submission=submission, turn=seen + 1, reason=reason.strip(),
        version=instrument(target.instrument).version, **of_target(target), **columns_of(settled),
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "propose", "consensus", f"{target.key}/{domain}", after=values_of(row),
        reason=row.reason, entity_version=row.turn, head=head,
    )  # fmt: skip
    _agree(acting, target, settled, standing, submission)
    return row


def _agree(acting: Acting, target: Target, settled: Settled, standing: Standing, submission: str) -> None:
    """Agree, where the last proposals of all assessors are the same."""
    said = proposals_of(acting.review, target).get(settled.domain, {})
    if set(said) < set(standing.assessors):
        return
    rows = [said[code] for code in standing.assessors]
    if any(
        (r.judgement, r.answers, r.direction) != (rows[0].judgement, rows[0].answers, rows[0].direction) for r in rows
    ):
        return
    both = {name: words_of_both(rows, name) for name in ("support", "override_reason", "reason")}
    why = f"agreed in discussion by {' and '.join(standing.assessors)}"
    reason = f"{why}: {both['reason']}" if both["reason"] else why
    whole = replace(settled, support=both["support"], override_reason=both["override_reason"])
    before = agreed_of(acting.review, target).get(settled.domain)
    agreed_between(acting, target, whole, standing, submission, reason, before)
    write_agreed(acting, target, reason)
