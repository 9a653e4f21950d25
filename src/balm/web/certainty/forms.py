"""The form of a rating as its template shows it: each domain with what the rule proposes and what was chosen so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from balm.review.certainty.deciding import FIELDS, ONE_BY_ONE, WITH_BASELINE, Decision
from balm.review.certainty.proposing import Proposed
from balm.review.certainty.target import ANY, TARGETS
from balm.review.certainty.words import NOT_RATED, OVERALL, UP, allowed_ratings, level_after, levels_of
from balm.review.synthesis import PER, AnalysisResult
from balm.vocabulary.evidence import CertaintyJudgement
from balm.vocabulary.problems import Problem


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
    with_baseline: bool
    follows: str
    levels: tuple[str, ...]
    proposed: Proposed
    errors: Mapping[str, str] = field(default_factory=dict)
    other_errors: tuple[str, ...] = ()


def sent(post: QueryDict) -> dict[str, object]:
    """What a page sent: ratings, reasons and fields, as the action takes them."""
    return {
        "ratings": {d: post.get(f"rating-{key_of(d)}", "") for d in ONE_BY_ONE},
        "reasons": {d: post.get(f"reason-{key_of(d)}", "") for d in ONE_BY_ONE},
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


def rating_form(
    result: AnalysisResult, proposed: Proposed, now: Mapping[str, object], problems: Iterable[Problem] = ()
) -> RatingForm:
    """The form with these values, complete or not."""
    problems = tuple(problems)
    errors = {p.column: p.reason for p in problems if p.column}
    ratings: Mapping[str, str] = now["ratings"]  # type: ignore[assignment]
    reasons: Mapping[str, str] = now["reasons"]  # type: ignore[assignment]
    domains = []
    for p in proposed.domains:
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
    target = values["target"] or (proposed.target.kind if proposed.target else ANY)
    known = {name: errors[name] for name in (*FIELDS, "why") if name in errors}
    whole = all(any(chosen for _, chosen, _ in d.choices) for d in domains)
    moves = sum(levels_of(r) for d in domains for r, chosen, _ in d.choices if chosen)
    return RatingForm(
        values=values,
        domains=tuple(domains),
        targets=tuple((t, t == target) for t in TARGETS),
        with_baseline=result.measure in WITH_BASELINE,
        follows=level_after(proposed.start, moves) if domains and whole else "",
        levels=tuple(r for r in allowed_ratings(OVERALL) if r != NOT_RATED),
        proposed=proposed,
        errors=known,
        other_errors=tuple(
            p.reason for p in problems if p.column not in known and (p.column or "").removesuffix(" reason") not in
            ONE_BY_ONE
        ),
    )  # fmt: skip


def key_of(domain: str) -> str:
    """A domain as part of a field's name.

    >>> key_of("risk of bias")
    'risk-of-bias'
    """
    return domain.replace(" ", "-")
