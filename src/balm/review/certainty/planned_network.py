"""The certainty of every comparison of a planned network: what the rules propose, what people decided.

Direct evidence is rated in four domains by the rules for pairwise evidence; indirect evidence takes the lowest of the
comparisons it leans on, less intransitivity; the network estimate the part that gives more information, less
incoherence and imprecision (:mod:`balm.review.certainty.network`). A proposal alone is no rating.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from balm.review.analysis_data import canonical
from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.cinema import crossings, edge_of
from balm.review.certainty.decided import Decided
from balm.review.certainty.direct_evidence import direct_body
from balm.review.certainty.inconsistency import inconsistency
from balm.review.certainty.indirectness import indirectness
from balm.review.certainty.network import SOURCE, network_certainty
from balm.review.certainty.network_on_record import network_standing
from balm.review.certainty.of_analysis import bias_class
from balm.review.certainty.of_network import INCOHERENT, NetworkRating, imprecise, rate_network
from balm.review.certainty.proposing import start_of
from balm.review.certainty.publication_bias import publication_bias
from balm.review.certainty.risk_of_bias import risk_of_bias
from balm.review.certainty.target import target_of
from balm.review.certainty.words import (
    NOT_RATED,
    OF_DIRECT,
    OF_NETWORK,
    OVERALL,
    allowed_ratings,
    level_after,
    levels_of,
    serious,
)
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.networks.planned import folded
from balm.review.package import Package
from balm.review.risk_of_bias.of_analysis import judgements_for
from balm.stats.network.network import Comparison, Network
from balm.vocabulary.evidence import BiasJudgement, NetworkCertaintyJudgement

#: A study's class of bias -> the level that shares of contributions know; what nobody assessed is not known to be low.
LEVEL_OF = {"low": "low", "some": "unclear", "not assessed": "unclear", "high": "high"}
NO_LIMIT = "no smallest effect that matters is stated, so the threshold is no effect"


@dataclass(frozen=True, slots=True)
class NetworkDomain:
    """One domain of one comparison: the proposal, and the decision where a person made one."""

    domain: str
    proposal: Proposal
    decision: NetworkCertaintyJudgement | None

    @property
    def rating(self) -> str:
        """The decision, or ``not rated``."""
        return self.decision.rating if self.decision else NOT_RATED

    @property
    def in_force(self) -> str:
        """The decision, else the proposal: what the next step goes on with."""
        return self.where(self.rating)

    def where(self, rating: str) -> str:
        """What is in force where a person decides so: the proposal where that is no rating of this domain."""
        rated = rating != NOT_RATED and rating in allowed_ratings(self.domain)
        return rating if rated else self.proposal.rating


@dataclass(frozen=True)
class NetworkCertainty(Decided):
    """One comparison, ``comparison.treatment`` against ``comparison.against``.

    proposed : the level by the rules alone.      follows : by the domains as decided, the rest as proposed.
    domains  : those of the direct evidence (none without any), then those of the network estimate.
    rated    : direct and indirect certainty, what the indirect evidence leans on, and every step in words.
    overall  : the decision on the whole.         basis : hash of what a decision now rests on.
    start    : where direct evidence begins, and why; empty without any.
    loop     : the certainty of the direct comparisons that the indirect evidence leans on, before imprecision.
    """

    network: str
    comparison: Comparison
    rated: NetworkRating
    domains: tuple[NetworkDomain, ...]
    proposed: str
    follows: str
    overall: NetworkCertaintyJudgement | None
    basis: str
    start: tuple[str, str] = ("", "")
    loop: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A name for the comparison that can stand in an address, the same whichever way round it is read."""
        return key_of(self.network, self.comparison.treatment, self.comparison.against)

    @property
    def pair(self) -> tuple[str, str]:
        """The two treatments."""
        return self.comparison.treatment, self.comparison.against

    @property
    def name(self) -> str:
        """The comparison in words."""
        return " against ".join(self.pair)

    def leads_to(self, ratings: Mapping[str, str]) -> str:
        """Where its domains lead when they are rated so; what is left out is in force as it stands."""
        levels = {d.domain: levels_of(d.where(ratings.get(d.domain, d.rating))) for d in self.domains}
        direct = sum(levels[domain] for domain in OF_DIRECT if domain in levels)
        return network_certainty(
            direct=level_after(self.start[0], direct) if self.start[0] else None,
            loop=self.loop or None,
            direct_share=self.rated.direct_share,
            **{domain: levels.get(domain, 0) for domain in OF_NETWORK},
        ).network

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the decision should know."""
        found = []
        if self.stale:
            found.append("stale: the data or the judgements have changed since this was decided; decide again")
        if self.overall is not None and self.overall.rating not in (NOT_RATED, self.follows):
            found.append(f"the domains as decided lead to {self.follows}, not to {self.overall.rating}")
        return tuple(found)

    def domain(self, domain: str) -> NetworkDomain | None:
        """One domain, or ``None`` where this comparison does not have it."""
        return next((d for d in self.domains if d.domain == domain), None)


def key_of(network: str, treatment: str, against: str) -> str:
    """Two treatments of a network as a part of an address: words for people, and a digest that no others have.

    >>> key_of("relief", "Placebo", "Drug A, 2 mg/kg")
    'relief:drug-a-2-mg-kg--placebo-fabfa68d'
    """
    pair = sorted(map(folded, (treatment, against)))
    words = "--".join(re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:40] for name in pair)
    return f"{network}:{words}-{hashlib.sha256(canonical(pair).encode()).hexdigest()[:8]}"


def network_certainties(package: Package, result: NetworkResult) -> tuple[NetworkCertainty, ...]:
    """Every comparison of every part that has an estimate; those with the reference first, in its order."""
    judged = judgements_for(package, result.spec)
    standing = network_standing(package.network_certainty, result.id)
    found: list[NetworkCertainty] = []
    for part in result.parts:
        if part.fit is not None:
            found += _of_part(package, result, part, part.fit, judged, standing)
    return tuple(found)


def not_compared(package: Package, network: str, found: Container[str]) -> tuple[NetworkCertaintyJudgement, ...]:
    """The decisions that stand on comparisons of a network beside ``found``, the keys of those it gives: they are kept
    on record, and are about nothing that can be shown."""
    standing = network_standing(package.network_certainty, network).values()
    rows = (decided[OVERALL] for decided in standing if OVERALL in decided)
    return tuple(r for r in rows if key_of(network, r.treatment, r.against) not in found)


def important_of(result: NetworkResult) -> tuple[float | None, str]:
    """The smallest effect that matters, as people read it, and its source: the network's, else the outcome's."""
    if result.spec.important is not None:
        return result.spec.important, result.spec.important_source or ""
    d = result.outcome.important_difference
    if d is not None and d.between_groups and result.measure == "MD":
        return abs(d.value), d.source if d.verified else f"{d.source} (not verified)"
    return None, ""


def bias_of_studies(package: Package, result: NetworkResult, part: NetworkPart) -> dict[str, str]:
    """Label of each study -> low, unclear or high; what nobody assessed counts as unclear."""
    judged = judgements_for(package, result.spec)
    return {s.label: LEVEL_OF[bias_class(judged.get(s.study, []))[0]] for s in part.studies}


_Standing = Mapping[frozenset[str], Mapping[str, NetworkCertaintyJudgement]]


def _of_part(
    package: Package,
    result: NetworkResult,
    part: NetworkPart,
    fit: Network,
    judged: dict[str, list[BiasJudgement]],
    standing: _Standing,
) -> list[NetworkCertainty]:
    important, _ = important_of(result)
    edge = 0.0 if important is None else edge_of(fit, important)
    bias = bias_of_studies(package, result, part)
    split = {(s.treatment_1, s.treatment_2): s for s in fit.split()}
    on_record = {pair: standing.get(frozenset(map(folded, pair)), {}) for pair in split}
    direct: dict[tuple[str, str], tuple[NetworkDomain, ...]] = {}
    begins: dict[tuple[str, str], tuple[str, str]] = {}
    for pair, parts in split.items():
        if parts.k:
            body = direct_body(package, result, part, pair, judged, edge)
            direct[pair] = _direct_domains(body, on_record[pair])
            begins[pair] = start_of(body)
    proposed = {p: {"direct": _level(begins[p][0], d, decided=False)} for p, d in direct.items()}
    in_force = {p: {"direct": _level(begins[p][0], d, decided=True)} for p, d in direct.items()}

    plain, shares = _without_colons(fit), part.shares
    if plain is not fit:
        shares = plain.contributions()
    own_name = dict(zip(plain.treatments, fit.treatments, strict=True))
    key = dict(zip(fit.treatments, plain.treatments, strict=True))

    def rate(levels: Mapping[tuple[str, str], Mapping[str, object]]) -> dict[tuple[str, str], NetworkRating]:
        found = rate_network(
            plain,
            risk_of_bias=bias,
            important=important,
            decided={f"{key[a]}:{key[b]}": d for (a, b), d in levels.items()},
            contributions=shares,
        )
        return {(own_name[r.comparison.treatment], own_name[r.comparison.against]): r for r in found}

    named = tuple(zip(shares.columns, shares.ends, strict=True))
    leans = {name: f"{own_name[a]} against {own_name[b]}" for name, (a, b) in named}
    ends = {name: frozenset((own_name[a], own_name[b])) for name, (a, b) in named}
    level_in_force = {frozenset(p): d["direct"] for p, d in in_force.items()}
    by_rule = rate(proposed)
    choices: dict[tuple[str, str], dict[str, object]] = {p: dict(d) for p, d in in_force.items()}
    domains: dict[tuple[str, str], tuple[NetworkDomain, ...]] = {}
    for pair, rated in by_rule.items():
        own = _network_domains(rated, _shown_way(fit, pair), leans, split[pair].p, edge, on_record[pair])
        domains[pair] = (*direct.get(pair, ()), *own)
        for d in own:
            choices.setdefault(pair, {})[d.domain] = levels_of(d.in_force)
    follows = rate(choices)
    said = {f"{key[a]}:{key[b]}": _direct_words((a, b), begins[a, b], d) for (a, b), d in direct.items()}
    order = sorted(split, key=lambda p: (fit.reference not in p, p))
    made = []
    for pair in order:
        rated = follows[pair]
        comparison = _shown_way(fit, pair)
        steps = (
            *(said[name] for name in (f"{key[pair[0]]}:{key[pair[1]]}", *rated.via) if name in said),
            *_later(rated),
        )
        whole = {
            "data": [[s.study, arm.treatment, dict(arm.values)] for s in part.studies for arm in s.arms],
            "result": [f"{x:.6g}" for x in (comparison.estimate, *comparison.interval)],
            "bias": bias,
            "important": important,
        }
        basis = hashlib.sha256(canonical(whole).encode()).hexdigest()[:16]
        made.append(
            NetworkCertainty(
                result.id,
                comparison,
                replace(rated, steps=steps),
                domains[pair],
                by_rule[pair].certainty,
                rated.certainty,
                on_record[pair].get(OVERALL),
                basis,
                begins.get(pair, ("", "")),
                tuple(level_in_force[ends[step]] for step in rated.via),
            )
        )
    return made


def _shown_way(fit: Network, pair: tuple[str, str]) -> Comparison:
    """The comparison the way round that it is shown: the reference stands second."""
    return fit.compare(*(pair if pair[0] != fit.reference else (pair[1], pair[0])))


def _without_colons(fit: Network) -> Network:
    """The network under names that a colon between two of them keeps apart: A:B and C are not A and B:C."""
    if not any(":" in name for name in fit.treatments):
        return fit
    names = tuple(name.replace(":", "\u2236") for name in fit.treatments)
    reference = names[fit.treatments.index(fit.reference)]
    return replace(fit, contrasts=replace(fit.contrasts, treatments=names), reference=reference)


def _direct_words(pair: tuple[str, str], start: tuple[str, str], domains: tuple[NetworkDomain, ...]) -> str:
    """How the certainty of direct evidence came about."""
    lowered = [f"{d.domain} {d.in_force}" for d in domains if levels_of(d.in_force)]
    level = _level(start[0], domains, decided=True)
    return f"{pair[0]} against {pair[1]}, direct: {start[1]}; {', '.join(lowered) or 'no domain lowers it'}: {level}"


def _later(rated: NetworkRating) -> tuple[str, ...]:
    """The steps after the direct evidence."""
    return tuple(step for step in rated.steps if not step.endswith(", as decided"))


def _level(start: str, domains: tuple[NetworkDomain, ...], *, decided: bool) -> str:
    """The certainty of direct evidence before imprecision."""
    return level_after(start, sum(levels_of(d.in_force if decided else d.proposal.rating) for d in domains))


def _direct_domains(body: Body, decided: Mapping[str, NetworkCertaintyJudgement]) -> tuple[NetworkDomain, ...]:
    aim = target_of(body)
    assert aim is not None
    made = (risk_of_bias(body, aim), inconsistency(body, aim), indirectness(body), publication_bias(body))
    return tuple(NetworkDomain(p.domain, p, decided.get(p.domain)) for p in made if p.domain in OF_DIRECT)


def _network_domains(
    rated: NetworkRating,
    one: Comparison,
    leans: Mapping[str, str],
    p: float,
    edge: float,
    decided: Mapping[str, NetworkCertaintyJudgement],
) -> tuple[NetworkDomain, ...]:
    """Intransitivity where there is indirect evidence, incoherence where both can be compared, and imprecision."""
    made = []
    if rated.via:
        via = " and ".join(leans[step] for step in rated.via)
        made.append(
            Proposal(
                "intransitivity", serious(0), "no number shows it: a person judges",
                (f"the indirect evidence leans on {via}",), SOURCE,
                "Do the studies of these comparisons resemble each other in what changes the effect?",
            )
        )  # fmt: skip
    if rated.via and not math.isnan(p):
        rule = (
            f"direct and indirect evidence differ at P below {INCOHERENT:g}"
            if p < INCOHERENT
            else f"direct and indirect evidence do not differ at P below {INCOHERENT:g}"
        )
        ask = "Does the difference matter? A P value that is not low is no proof that the two agree."
        made.append(Proposal("incoherence", serious(-1 if p < INCOHERENT else 0), rule, (f"P = {p:.3f}",), SOURCE, ask))
    levels = imprecise(one, edge)
    numbers: tuple[str, ...] = (f"interval {one.interval.low:.3g} to {one.interval.high:.3g} on the analysis scale",)
    if edge > 0.0:
        inside = crossings(one.interval.low, one.interval.high, edge)
        count = ("none", "one", "both")[inside]
        rule = f"the interval crosses {count} of the limits of importance"
        numbers += (f"limits of importance {-edge:.3g} and {edge:.3g}",)
    else:
        rule = f"the interval {'includes' if levels else 'excludes'} no effect; {NO_LIMIT}"
    made.append(Proposal("imprecision", serious(-levels), rule, numbers, SOURCE))
    return tuple(NetworkDomain(m.domain, m, decided.get(m.domain)) for m in made)
