"""The form of a rating as its template shows it: each domain with what the rule proposes and what was chosen so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from balm.review.certainty.deciding import FIELDS, ONE_BY_ONE, Decision
from balm.review.certainty.target import ANY, TARGETS
from balm.review.certainty.to_rate import Asked
from balm.review.certainty.words import NOT_RATED, OF_DIRECT, OF_NETWORK, OVERALL, UP, allowed_ratings
from balm.review.synthesis import PER
from balm.vocabulary.evidence import CertaintyJudgement
from balm.vocabulary.problems import Problem

#: Every domain that a form may hold.
RATED = tuple(dict.fromkeys((*ONE_BY_ONE, *OF_DIRECT, *OF_NETWORK)))


@dataclass(frozen=True, slots=True)
class DomainShown:
    """One domain: the proposal, the ratings to choose from as ``(rating, chosen, proposed)``, and what was typed."""

    domain: str
    key: str
    proposed: str
    rule: str
    numbers: tuple[str, ...]
    source: str
    ask: str
    choices: tuple[tuple[str, bool, bool], ...]
    reason: str
    error: str = ""
    reason_error: str = ""


@dataclass(frozen=True, slots=True)
class RatingForm:
    """A rating's form. ``values`` holds the other fields as typed; ``errors`` what is wrong, by field."""

    values: Mapping[str, str]
    domains: tuple[DomainShown, ...]
    targets: tuple[tuple[str, bool], ...]
    follows: str
    levels: tuple[str, ...]
    asked: Asked
    errors: Mapping[str, str] = field(default_factory=dict)
    other_errors: tuple[str, ...] = ()


def sent(post: QueryDict) -> dict[str, object]:
    """What a page sent: ratings, reasons and fields, as the action takes them."""
    return {
        "ratings": {d: post.get(f"rating-{key_of(d)}", "") for d in RATED},
        "reasons": {d: post.get(f"reason-{key_of(d)}", "") for d in RATED},
    } | {name: post.get(name, "") for name in FIELDS}


def filled(decision: Decision | None, before: CertaintyJudgement | None = None) -> dict[str, object]:
    """A decision as the form shows it. Without one every rating is open; place and baseline risk, which are no
    ratings, are those of the decision on record, ``before``."""
    if decision is None:
        empty: dict[str, object] = {"ratings": {}, "reasons": {}} | dict.fromkeys(FIELDS, "")
        if before is not None:
            risk = before.baseline_risk
            empty["place"] = "" if before.place is None else str(before.place)
            empty["baseline"] = "" if risk is None else f"{PER * risk:.10g}"
            empty["baseline_source"] = before.baseline_source or ""
        return empty
    return {
        "ratings": {d.domain: d.rating for d in decision.domains},
        "reasons": {d.domain: d.reason for d in decision.domains},
        "target": decision.target,
        "baseline": "" if decision.baseline_risk is None else f"{PER * decision.baseline_risk:.10g}",
        "baseline_source": decision.baseline_source,
        "place": "" if decision.place is None else str(decision.place),
        "certainty": decision.certainty,
        "reason": decision.reason,
    }


def rating_form(asked: Asked, now: Mapping[str, object], problems: Iterable[Problem] = ()) -> RatingForm:
    """The form with these values, complete or not."""
    problems = tuple(problems)
    errors = {p.column: p.reason for p in problems if p.column}
    ratings: Mapping[str, str] = now["ratings"]  # type: ignore[assignment]
    reasons: Mapping[str, str] = now["reasons"]  # type: ignore[assignment]
    domains = []
    for p in asked.domains:
        # A domain that would raise certainty begins at none, as every proposal does; the others begin open.
        chosen = ratings.get(p.domain) or (p.rating if p.domain in UP and p.rating == "none" else "")
        choices = tuple((r, r == chosen, r == p.rating) for r in allowed_ratings(p.domain) if r != NOT_RATED)
        domains.append(
            DomainShown(
                p.domain, key_of(p.domain), p.rating, p.rule, p.numbers, p.source, p.ask, choices,
                reasons.get(p.domain, ""), errors.pop(p.domain, ""), errors.pop(f"{p.domain} reason", ""),
            )
        )  # fmt: skip
    values = {name: str(now[name]) for name in FIELDS}
    target = values["target"] or (asked.target.kind if asked.target else ANY)
    known = {name: errors[name] for name in (*FIELDS, "why") if name in errors}
    whole = all(any(chosen for _, chosen, _ in d.choices) for d in domains)
    rated = {d.domain: r for d in domains for r, chosen, _ in d.choices if chosen}
    return RatingForm(
        values=values,
        domains=tuple(domains),
        targets=tuple((t, t == target) for t in TARGETS),
        follows=asked.leads_to(rated) if domains and whole else "",
        levels=tuple(r for r in allowed_ratings(OVERALL) if r != NOT_RATED),
        asked=asked,
        errors=known,
        other_errors=tuple(
            p.reason
            for p in problems
            if p.column not in known and (p.column or "").removesuffix(" reason") not in {d.domain for d in domains}
        ),
    )


def key_of(domain: str) -> str:
    """A domain as part of a field's name.

    >>> key_of("risk of bias")
    'risk-of-bias'
    """
    return domain.replace(" ", "-")
