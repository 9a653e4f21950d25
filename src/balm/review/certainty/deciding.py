"""A person's decision on the certainty of one analysis: each domain beside what the rule proposes, checked whole.

A comparison of a network is decided on in the same way (:mod:`balm.review.certainty.deciding_network`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from balm.review.certainty.body import Proposal
from balm.review.certainty.of_analysis import WITH_BASELINE, body_of
from balm.review.certainty.proposing import Proposed, propose
from balm.review.certainty.target import TARGETS
from balm.review.certainty.words import DOMAINS, NOT_RATED, OVERALL, allowed_ratings
from balm.review.package import Package
from balm.review.synthesis import PER, AnalysisResult
from balm.vocabulary.problems import InputError, Problem

#: Domains that are decided one by one, in the order of an evidence profile.
ONE_BY_ONE = DOMAINS[:-1]
MOST_PLACES = 7
MAX_TEXT = 5000
FOLLOWS = "follows from the domains as decided"
NO_EVIDENCE = "nothing to rate is not very low certainty"
#: What a person fills in, beside a rating and a reason for each domain.
FIELDS = ("target", "baseline", "baseline_source", "place", "certainty", "reason")


@dataclass(frozen=True, slots=True)
class DomainDecision:
    """One domain: what was decided and why, what the rule proposed and its words."""

    domain: str
    rating: str
    reason: str
    proposed: str
    rule: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole decision on one analysis, or on the comparison of a network that ``analysis`` names.

    ``certainty`` follows from the domains, or was given with a reason.
    """

    analysis: str
    target: str
    baseline_risk: float | None
    baseline_source: str
    place: int | None
    domains: tuple[DomainDecision, ...]
    certainty: str
    proposed: str
    reason: str

    @property
    def said(self) -> tuple[Any, ...]:
        """What two people must have in common to agree; how they word it is their own."""
        ratings = tuple((d.domain, d.rating) for d in self.domains)
        return self.target, self.baseline_risk, self.place, ratings, self.certainty

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        names = ("analysis", "target", "baseline_risk", "baseline_source", "place", "certainty", "proposed", "reason")
        domains = [
            {name: getattr(d, name) for name in ("domain", "rating", "reason", "proposed", "rule")}
            for d in self.domains
        ]
        return {name: getattr(self, name) for name in names} | {"domains": domains}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Decision:
        """Back from :meth:`plain`."""
        domains = tuple(DomainDecision(**d) for d in plain["domains"])
        return cls(**{**plain, "domains": domains})


def proposed_for(package: Package, result: AnalysisResult, target: str = "", baseline: str = "") -> Proposed:
    """What the rules propose at a target and a baseline risk per 1000, as far as these are usable."""
    risk, _ = _risk(result, baseline.strip())
    return propose(body_of(package, result, risk), target if target in TARGETS else None)


def decide(
    package: Package,
    result: AnalysisResult,
    *,
    ratings: Mapping[str, str],
    reasons: Mapping[str, str],
    **fields: str,
) -> Decision:
    """The decision that a form holds; :class:`InputError` with every problem at its field.

    ratings, reasons : domain -> rating, why. A reason is needed where the rating is not the one proposed.
    fields           : ``target`` ("" takes the one that the estimate sets), ``baseline`` (a risk per 1000) and
                       ``baseline_source``, ``place`` (row of the summary of findings), ``certainty`` ("" takes what
                       follows from the domains) and ``reason``.
    """
    given, problems = given_fields(reasons, fields)
    risk, wrong = _baseline(result, given["baseline"], given["baseline_source"])
    problems += wrong
    place, wrong = _place(package, result.id, given["place"])
    problems += wrong
    if given["target"] and given["target"] not in TARGETS:
        problems.append(Problem(f"must be one of {list(TARGETS)}; got {given['target']!r}", column="target"))
    proposed = propose(body_of(package, result, risk), given["target"] if given["target"] in TARGETS else None)
    if proposed.target is None:
        if problems:
            raise InputError(problems)
        return _no_evidence(result, given, place, body_of(package, result).nothing)
    if given["target"] and proposed.target.kind != given["target"]:
        problems.append(
            Problem(f"{given['target']} needs a minimal important difference, which the plan does not state for this "
                    "outcome on this scale", column="target")
        )  # fmt: skip
    domains, certainty, reason = decided_whole(
        proposed.domains, ratings, reasons, given, problems, leads_to=proposed.leads_to, proposed=proposed.certainty
    )
    return Decision(
        result.id, proposed.target.kind, risk, given["baseline_source"] if risk is not None else "", place, domains,
        certainty, proposed.certainty, reason,
    )  # fmt: skip


def given_fields(reasons: Mapping[str, str], fields: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """The fields beside the domains as they were typed, and every text that cannot be kept."""
    given = {name: fields.get(name, "").strip() for name in FIELDS}
    return given, list(_texts(given, reasons))


def decided_whole(
    proposals: Iterable[Proposal],
    ratings: Mapping[str, str],
    reasons: Mapping[str, str],
    given: Mapping[str, str],
    problems: Iterable[Problem],
    *,
    leads_to: Callable[[Mapping[str, str]], str],
    proposed: str,
) -> tuple[tuple[DomainDecision, ...], str, str]:
    """Domains, certainty and its reason; :class:`InputError` with these ``problems`` and what is wrong here."""
    domains, wrong = _domains(proposals, ratings, reasons)
    problems = [*problems, *wrong]
    follows = leads_to({d.domain: d.rating for d in domains})
    certainty = given["certainty"] or follows
    if certainty not in allowed_ratings(OVERALL):
        problems.append(
            Problem(f"must be one of {list(allowed_ratings(OVERALL))}; got {certainty!r}", column="certainty")
        )
    elif certainty != follows and not given["reason"]:
        problems.append(Problem(f"the domains lead to {follows!r}; say why it is {certainty!r}", column="reason"))
    if problems:
        raise InputError(problems)
    return domains, certainty, given["reason"] or ("" if certainty == proposed else FOLLOWS)


def rows_of(
    decision: Decision, about: Mapping[str, str], *, assessor: str, basis: str, time: str
) -> list[dict[str, str]]:
    """The decision as rows of its table; ``about`` names what was rated, as its first columns do."""
    rows = [
        {**about, "domain": d.domain, "rating": d.rating, "reason": d.reason, "assessor": assessor,
         "proposed": d.proposed, "rule": d.rule, "time": time}
        for d in decision.domains
    ]  # fmt: skip
    rows.append({
        **about, "domain": OVERALL, "rating": decision.certainty, "reason": decision.reason, "assessor": assessor,
        "proposed": decision.proposed, "basis": basis, "time": time,
    })  # fmt: skip
    return rows


def in_summary(decision: Decision) -> dict[str, str]:
    """What the overall row of an analysis says beside the rating."""
    return {
        "target": decision.target,
        "baseline_risk": "" if decision.baseline_risk is None else f"{decision.baseline_risk:.10g}",
        "baseline_source": decision.baseline_source,
        "place": "" if decision.place is None else str(decision.place),
    }


def rule_in_words(proposal: Proposal) -> str:
    """The rule with the numbers it looked at, as ``certainty.csv`` keeps it."""
    return f"{proposal.rule} ({'; '.join(proposal.numbers)})" if proposal.numbers else proposal.rule


def _no_evidence(result: AnalysisResult, given: Mapping[str, str], place: int | None, nothing: str) -> Decision:
    if given["certainty"] not in ("", NOT_RATED):
        raise InputError(Problem(f"{nothing}: there is nothing to rate", column="certainty"))
    reason = given["reason"] or f"{nothing}; {NO_EVIDENCE}"
    return Decision(result.id, "", None, "", place, (), NOT_RATED, NOT_RATED, reason)


def _domains(
    proposals: Iterable[Proposal], ratings: Mapping[str, str], reasons: Mapping[str, str]
) -> tuple[tuple[DomainDecision, ...], list[Problem]]:
    made: list[DomainDecision] = []
    problems = []
    for p in proposals:
        rating, reason = ratings.get(p.domain, "").strip(), reasons.get(p.domain, "").strip()
        if not rating:
            problems.append(Problem("decide: the rule only proposes", column=p.domain))
        elif rating not in allowed_ratings(p.domain):
            problems.append(
                Problem(f"is rated {', '.join(allowed_ratings(p.domain))}; got {rating!r}", column=p.domain)
            )
        elif rating != p.rating and not reason:
            problems.append(
                Problem(f"say why: {rating!r} is decided where {p.rating!r} is proposed", column=f"{p.domain} reason")
            )
        made.append(DomainDecision(p.domain, rating, reason, p.rating, rule_in_words(p)))
    known = [d.domain for d in made]
    problems += [
        Problem(f"is not rated here, where the domains are {', '.join(known)}", column=domain)
        for domain, rating in ratings.items()
        if rating.strip() and domain not in known
    ]
    return tuple(made), problems


def _texts(given: Mapping[str, str], reasons: Mapping[str, str]) -> Iterable[Problem]:
    texts = {"baseline_source": given["baseline_source"], "reason": given["reason"]}
    texts |= {f"{domain} reason": text for domain, text in reasons.items()}
    for column, text in texts.items():
        if len(text) > MAX_TEXT:
            yield Problem(f"must have at most {MAX_TEXT:,} characters", column=column)
        elif any(c < " " and c not in "\n\r\t" for c in text):
            yield Problem("must be plain text", column=column)


def _baseline(result: AnalysisResult, text: str, source: str) -> tuple[float | None, list[Problem]]:
    risk, problems = _risk(result, text)
    if not text and source:
        problems.append(Problem("belongs to a baseline risk; give one, or leave this empty", column="baseline_source"))
    if risk is not None and not source:
        problems.append(Problem("say where the baseline risk comes from", column="baseline_source"))
    return risk, problems


def _risk(result: AnalysisResult, text: str) -> tuple[float | None, list[Problem]]:
    if not text:
        return None, []
    if result.measure not in WITH_BASELINE:
        return None, [Problem(f"an analysis of {result.measure} has no baseline risk", column="baseline")]
    try:
        risk = float(text) / PER
    except ValueError:
        risk = math.nan
    if not 0 < risk < 1:
        return None, [Problem(f"must be a number between 0 and {PER}; got {text!r}", column="baseline")]
    return risk, []


def _place(package: Package, analysis: str, text: str) -> tuple[int | None, list[Problem]]:
    if not text:
        return None, []
    place = int(text) if text.isdecimal() and len(text) < 3 else 0
    if not 1 <= place <= MOST_PLACES:
        return None, [Problem(f"must be a whole number from 1 to {MOST_PLACES}; got {text!r}", column="place")]
    last = {row.analysis: row for row in package.certainty if row.domain == OVERALL}
    taken = next((a for a, row in last.items() if row.place == place and a != analysis), None)
    if taken is not None:
        return None, [Problem(f"row {place} of the summary of findings is taken by {taken}", column="place")]
    return place, []
