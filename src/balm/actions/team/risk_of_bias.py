"""Assess risk of bias: judge a domain, finish, agree; what is agreed is written to ``risk_of_bias.csv``.

Where the assessors differ, a third person settles it here, or they agree in discussion
(:mod:`balm.actions.team.risk_of_bias_discussion`). What both said alike either of them may take over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.rows import put_row
from balm.actions.team.taken_home import check_knows_nothing_of
from balm.review.risk_of_bias.answers import answers_text
from balm.review.risk_of_bias.instrument import Instrument, instrument
from balm.review.risk_of_bias.settled import Settled, bias_domains, settle, step_name, steps, text_problems
from balm.review.risk_of_bias.standing import (
    Standing,
    is_stale,
    same,
    why_not_assess,
    why_not_decide,
    why_not_finish,
    why_not_settle,
)
from balm.review.risk_of_bias.targets import Target
from balm.review.risk_of_bias.words import OVERALL
from balm.store.events.chain import append_event, lock_chain
from balm.store.risk_of_bias.models import Agreed, Assessment, Finished, Proposal
from balm.store.risk_of_bias.standing import agreed_of, assessments_of, judged, of_target, standing_of, target_of
from balm.vocabulary.problems import InputError, Problem

FILE = "risk_of_bias.csv"
#: What a person fills in, beside the answers.
FIELDS = ("judgement", "override_reason", "direction", "support")
Row = TypeVar("Row", Assessment, Agreed, Proposal)


@transaction.atomic
def assess(
    acting: Acting, target: Target, domain: str, *, submission: str, answers: Mapping[str, str], **fields: str
) -> Assessment:
    """Judge one domain of a result on one's own. Sent twice it counts once; a change of mind is a new row.

    ``fields``: ``judgement``, ``override_reason``, ``direction``, ``support``. For ``Overall`` the answers are the
    person's own judgements of the domains, whatever is sent. Who took the archive home when somebody else had judged
    the same does not begin.
    """
    acting.check("assess")
    check_sent(submission)
    lock_chain(acting.review.key)
    own = assessments_of(acting.review, target, acting.member.code)
    if domain == OVERALL:
        answers = judgements_under(target, own)
    sent = sent_before(Assessment, acting, target, domain, submission)
    settled = settle(instrument(target.instrument), domain, answers=answers, **fields)
    if sent is not None:
        same_as_sent(sent, settled)
        return sent
    standing = standing_of(acting.review, target)
    if refused := why_not_assess(acting.member.code, standing):
        raise InputError(refused)
    if not own:
        others = Assessment.objects.filter(review=acting.review, **of_target(target)).exclude(member=acting.member)
        check_knows_nothing_of(acting, target.study, others.values_list("at", flat=True))
    before = own.get(domain)
    row = Assessment.objects.create(
        review=acting.review, member=acting.member, submission=submission, turn=before.turn + 1 if before else 1,
        version=instrument(target.instrument).version, **of_target(target), **columns_of(settled),
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "assess", "assessment", f"{target.key}/{domain}",
        before=None if before is None else values_of(before), after=values_of(row), entity_version=row.turn,
    )  # fmt: skip
    return row


@transaction.atomic
def finish(acting: Acting, target: Target, *, submission: str) -> Finished:
    """Say that one's assessment is complete. When the second assessor says so, too, the two are compared."""
    acting.check("assess")
    check_sent(submission)
    lock_chain(acting.review.key)
    done = Finished.objects.filter(review=acting.review, member=acting.member, **of_target(target)).first()
    if done is not None:
        return done
    own = judged(assessments_of(acting.review, target, acting.member.code))
    standing = standing_of(acting.review, target)
    if refused := why_not_finish(acting.member.code, standing, instrument(target.instrument), own):
        raise InputError(refused)
    row = Finished.objects.create(
        review=acting.review, member=acting.member, submission=submission, **of_target(target)
    )
    append_event(acting.review.key, acting.actor, "finish assessment", "assessment", target.key)
    return row


@transaction.atomic
def agree(
    acting: Acting,
    target: Target,
    domain: str,
    *,
    submission: str,
    answers: Mapping[str, str],
    reason: str = "",
    seen: int = 0,
    **fields: str,
) -> Agreed:
    """Settle one domain as a third person, between the two assessors. Where they differ, or to change what was agreed,
    say why.

    ``seen`` is the turn of the agreement that the person saw (0 for none): what somebody else has agreed since is not
    overwritten.
    """
    acting.check("agree")
    check_sent(submission)
    lock_chain(acting.review.key)
    standing = standing_of(acting.review, target)
    if refused := why_not_decide(standing):
        raise InputError(refused)
    if refused := why_not_settle(acting.member.code, standing):
        raise Refused(refused)
    agreed = agreed_of(acting.review, target)
    if domain == OVERALL:
        answers = judgements_under(target, agreed)
    sent = sent_before(Agreed, acting, target, domain, submission)
    settled = settle(instrument(target.instrument), domain, answers=answers, **fields)
    if sent is not None:
        same_as_sent(sent, settled)
        return sent
    if seen != (agreed[domain].turn if domain in agreed else 0):
        raise InputError("somebody else has settled this domain since you opened it; load the page again to see it")
    if problems := text_problems("reason", reason):
        raise InputError(problems)
    if not reason.strip() and (domain in agreed or not _both_say(acting, target, domain, standing, settled)):
        what = "what was agreed is changed" if domain in agreed else "the two assessors do not both say this"
        raise InputError(Problem(f"say why: {what}", column="reason"))
    row = agreed_between(acting, target, settled, standing, submission, reason.strip(), agreed.get(domain))
    write_agreed(acting, target, reason.strip() or "both assessors agree")
    return row


@transaction.atomic
def accept_what_agrees(acting: Acting, target: Target, *, submission: str) -> int:
    """Take over every domain on which both assessors say the same and nothing is agreed yet; returns how many."""
    check_sent(submission)
    lock_chain(acting.review.key)
    standing = standing_of(acting.review, target)
    acting.check("assess" if acting.member.code in standing.assessors else "agree")
    if refused := why_not_decide(standing):
        raise InputError(refused)
    one = instrument(target.instrument)
    agreed = agreed_of(acting.review, target)
    sides = [assessments_of(acting.review, target, code) for code in standing.assessors]
    count = 0
    for domain in steps(one):
        rows = [side[domain] for side in sides]
        views = [judged(side)[domain] for side in sides]
        if domain in agreed or not all(same(views[0], other) for other in views[1:]):
            continue
        if domain == OVERALL and judgements_under(target, agreed_of(acting.review, target)) != rows[0].answers:
            continue
        settled = settle(
            one, domain, answers=rows[0].answers, judgement=rows[0].judgement, direction=rows[0].direction,
            override_reason=words_of_both(rows, "override_reason"), support=words_of_both(rows, "support"),
        )  # fmt: skip
        agreed_between(acting, target, settled, standing, f"{submission}-{domain}"[:64], "", None)
        count += 1
    if count:
        write_agreed(acting, target, "both assessors agree")
    return count


def agreed_between(
    acting: Acting,
    target: Target,
    settled: Settled,
    standing: Standing,
    submission: str,
    reason: str,
    before: Agreed | None,
) -> Agreed:
    """Keep what is agreed on one domain, and say so in the audit trail."""
    row = Agreed.objects.create(
        review=acting.review, member=acting.member, submission=submission, turn=before.turn + 1 if before else 1,
        version=instrument(target.instrument).version, assessors=list(standing.assessors), reason=reason,
        **of_target(target), **columns_of(settled),
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "agree", "consensus", f"{target.key}/{settled.domain}",
        before=None if before is None else values_of(before), after=values_of(row), entity_version=row.turn,
        reason=reason,
    )  # fmt: skip
    return row


def write_agreed(acting: Acting, target: Target, reason: str) -> None:
    """The agreed judgements as rows of the package, once every one of them is there and the overall one rests on them.

    A domain that is agreed anew leaves the rows as they were until the overall judgement has been looked at again.
    """
    one = instrument(target.instrument)
    agreed = agreed_of(acting.review, target)
    if set(steps(one)) - set(agreed) or is_stale(one, judged(agreed)):
        return
    for domain in steps(one):
        row = agreed[domain]
        cells = {
            "study": target.study, "tool": one.name, "domain": step_name(one, domain), "judgement": row.judgement,
            "reason": row.support, "assessor": f"consensus of {' and '.join(row.assessors)}", "verified": "yes",
            "outcome": target.outcome, "window": target.window, "comparison": target.comparison,
            "instrument": one.id, "version": row.version, "proposed": row.proposed,
            "answers": "" if domain == OVERALL else _told(one, domain, row.answers),
            "override_reason": row.override_reason, "direction": row.direction,
            "time": row.at.isoformat(timespec="seconds"),
        }  # fmt: skip
        put_row(acting, FILE, cells, reason=reason)


def _told(one: Instrument, domain: str, answers: Mapping[str, str]) -> str:
    """The answers as a cell, in the order of the questions, which a database does not keep."""
    of = one.domain(domain)
    return answers_text({q.id: answers[q.id] for q in of.questions}, of)


def _both_say(acting: Acting, target: Target, domain: str, standing: Standing, settled: Settled) -> bool:
    rows = [assessments_of(acting.review, target, code)[domain] for code in standing.assessors]
    wanted = (settled.judgement, dict(settled.answers), settled.direction)
    return all((r.judgement, r.answers, r.direction) == wanted for r in rows)


def judgements_under(target: Target, rows: Mapping[str, Assessment] | Mapping[str, Agreed]) -> dict[str, str]:
    """The judgements of the domains that an overall judgement rests on."""
    return {d.id: rows[d.id].judgement for d in bias_domains(instrument(target.instrument)) if d.id in rows}


def columns_of(settled: Settled) -> dict[str, Any]:
    """A settled judgement as columns."""
    names = ("domain", "proposed", "judgement", "override_reason", "direction", "support")
    return {name: getattr(settled, name) for name in names} | {"answers": dict(settled.answers)}


def values_of(row: Assessment | Agreed | Proposal) -> dict[str, Any]:
    """A judgement as an event tells it."""
    return {name: getattr(row, name) for name in (*FIELDS, "answers", "proposed")}


def sent_before(model: type[Row], acting: Acting, target: Target, domain: str, submission: str) -> Row | None:
    """What this member saved under the number of this page already; refused where it was about another judgement."""
    sent = model.objects.filter(member=acting.member, submission=submission).first()
    if sent is not None and (target_of(sent), sent.domain) != (target, domain):
        raise InputError(Problem("belongs to another judgement; load the page again", column="submission"))
    return sent


def same_as_sent(sent: Assessment | Agreed | Proposal, settled: Settled) -> None:
    """The same page sent twice is the same judgement; another judgement under its number is a second window."""
    if any(getattr(sent, name) != value for name, value in columns_of(settled).items()):
        raise InputError("you have saved this domain in another window since; load the page again to see it")


def check_sent(text: str) -> None:
    """The number that a page gave to an act, so that it counts once however often it is sent."""
    if not 1 <= len(text) <= 64 or not text.isprintable():
        raise InputError(Problem("must be 1 to 64 plain characters; load the page again", column="submission"))


def words_of_both(rows: list[Any], name: str) -> str:
    """Both assessors' words, each with whose they are; once where they are the same."""
    said = dict.fromkeys(getattr(row, name) for row in rows if getattr(row, name))
    if len(said) < 2:
        return next(iter(said), "")
    return "\n".join(f"{row.member.code}: {getattr(row, name)}" for row in rows if getattr(row, name))
