"""Certainty of networks in the report: summary of findings with treatments as rows, and how each rating came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from balm.report import network_words as words
from balm.report.document.parts import Block, Section, said
from balm.report.document.wording import ended, listed, many
from balm.report.html_report.links import anchor, place
from balm.report.html_report.table import Cell, Line, Row, Table, columns, value
from balm.report.network_findings import effects_in_words
from balm.report.network_walk import MOST_IN_LEAGUE, Places
from balm.review.certainty.network import SOURCE
from balm.review.certainty.planned_network import NetworkCertainty, important_of, network_certainties, not_compared
from balm.review.certainty.words import NOT_RATED
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.networks.planned import NETWORK_MEASURES
from balm.review.package import Package
from balm.review.synthesis import Synthesis
from balm.vocabulary.numbers import fixed, level, plain

#: P-scores nearer than this are the same but for the order of sums: such treatments share a rank.
SAME_RANK = 1e-9
SYMBOLS_ARE = "⊕⊕⊕⊕ high, ⊕⊕⊕◯ moderate, ⊕⊕◯◯ low, ⊕◯◯◯ very low certainty."


def network_certainty_sections(synthesis: Synthesis) -> tuple[Section, ...]:
    """A section for each network that has an estimate."""
    return tuple(
        _section(synthesis.package, result, network_certainties(synthesis.package, result))
        for result in synthesis.networks
        if any(part.fit is not None for part in result.parts)
    )


def _section(package: Package, result: NetworkResult, found: Sequence[NetworkCertainty]) -> Section:
    """One network: how it is rated, its summary of findings, each comparison step by step, and the decisions."""
    blocks = [*network_findings(package, result, found), *(_levels(result, *own) for own in _by_part(result, found))]
    return Section(
        anchor("network-certainty", result.id), f"Certainty: {result.title}", (*blocks, _decisions(result, found))
    )


def network_findings(package: Package, result: NetworkResult, found: Sequence[NetworkCertainty]) -> tuple[Block, ...]:
    """How a network is rated, and the summary of findings of each of its parts."""
    gone = not_compared(package, result.id, {c.key for c in found})
    lost = ""
    if gone:
        named = listed([f"{r.treatment} against {r.against} ({r.rating})" for r in gone])
        lost = f"Stale: decided before, and without an estimate in this network now: {named}."
    return said(_how(result, found), lost), *(network_summary(result, *own) for own in _by_part(result, found))


def _by_part(
    result: NetworkResult, found: Sequence[NetworkCertainty]
) -> list[tuple[NetworkPart, list[NetworkCertainty]]]:
    """The parts that have an estimate, each with its own comparisons."""
    return [
        (part, [c for c in found if c.comparison.against in part.treatments])
        for part in result.parts
        if part.fit is not None
    ]


def _how(result: NetworkResult, found: Sequence[NetworkCertainty]) -> str:
    rated = [c for c in found if c.certainty != NOT_RATED]
    important, source = important_of(result)
    limit = (
        f"The smallest effect that matters is {plain(important)} ({source.rstrip('.')})."
        if important is not None
        else "No smallest effect that matters is stated, so imprecision is judged against no effect."
    )
    if not rated:
        state = "Nobody has decided on these comparisons yet: what follows are proposals of the rules, and no ratings."
    else:
        people = "; ".join(dict.fromkeys(c.overall.assessor for c in rated if c.overall and c.overall.assessor))
        state = (
            f"Decided for {many(len(rated), 'comparison')} of {len(found)}{f', by {people}' if people else ''}; the "
            "others have proposals only, which are no ratings."
            if len(rated) < len(found)
            else f"Decided for {'the one comparison' if len(found) == 1 else f'all {len(found)} comparisons'}"
            f"{f', by {people}' if people else ''}."
        )
    return (
        "Certainty of a network follows GRADE for network meta-analysis: direct evidence is rated as that of pairwise "
        "analyses, without imprecision; indirect evidence takes the lowest of the comparisons it leans on, less "
        "intransitivity; the network estimate takes the part that gives more information, less incoherence and "
        f"imprecision ({SOURCE}). {limit} {state}"
    )


def baseline_of(result: NetworkResult, part: NetworkPart) -> tuple[float | None, str]:
    """The risk with the reference, and where it comes from: of the plan, else of its arms together."""
    if NETWORK_MEASURES[result.measure] != "binary":
        return None, ""
    if result.spec.baseline_risk is not None and part.reference == result.spec.reference:
        return result.spec.baseline_risk, result.spec.baseline_source or ""
    arms = [arm for s in part.studies for arm in s.arms if arm.treatment == part.reference]
    events, people = sum(a.values["events"] for a in arms), sum(a.values["n"] for a in arms)
    if not 0 < events < people:
        return None, ""
    together = f"its {many(len(arms), 'arm')}{' together' if len(arms) > 1 else ''}"
    return events / people, f"{together}, {plain(events)} of {plain(people)}"


def network_summary(
    result: NetworkResult, part: NetworkPart, found: Sequence[NetworkCertainty], *, behind: bool = True
) -> Table:
    """Summary of findings: treatments as rows, best first, each against the reference; then the reference."""
    fit, places = part.network, Places(result)
    rated = {c.comparison.treatment: c for c in found if c.comparison.against == fit.reference}
    studies = {frozenset((s.treatment_1, s.treatment_2)): s.k for s in fit.split()}
    scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    place_of = {t: 1 + sum(x > mine + SAME_RANK for x in scores.values()) for t, mine in scores.items()}
    baseline, source = baseline_of(result, part)
    rows = []
    for c in words.against_reference(fit):
        mine = rated[c.treatment]
        relative, (control, risk, apart) = effects_in_words(fit, c.treatment, baseline)
        direct = studies[frozenset((c.treatment, fit.reference))]
        kind = {"mixed": "direct and indirect", "direct": "direct only", "indirect": "indirect only"}[mine.rated.kind]
        href = f"#{place(result.id, places.pair(c.treatment, fit.reference))}" if behind else ""
        absolute = tuple(Line(x) for x in (risk, apart) if x != "–") or (Line("–"),)
        rows.append(
            Row(
                (
                    Cell(c.treatment),
                    Cell(kind, lines=(Line(many(direct, "direct study", "direct studies")),)),
                    Cell(relative, href=f"{href}:estimate" if href else ""),
                    Cell(control),
                    Cell(lines=absolute),
                    Cell(_rating(mine), lines=(Line(f"proposed: {mine.proposed}"),) if _shows_proposal(mine) else ()),
                    _rank(place_of[c.treatment], scores, c.treatment),
                    Cell(_comment(mine)),
                )
            )
        )
    name = fit.reference
    own = _rank(place_of[name], scores, name)
    risk = Cell("–" if baseline is None else f"{1000 * baseline:.0f} per 1000")
    rows.append(Row((Cell(f"{name} (reference)"), Cell("–"), Cell("–"), risk, Cell("–"), Cell("–"), own, Cell(""))))
    heads = columns("#Treatment", "Evidence", f"Relative effect ({level(fit.level)} interval)", f"Risk with {name}",
                    "Risk with treatment, difference", "Certainty", "Rank", "+Comments")  # fmt: skip
    base = f" Risk with {name}: {source}." if baseline is not None else ""
    part_of = f", part {part.number}" if len(result.parts) > 1 else ""
    note = f"The rank is of the point estimates and is not certainty.{base} {SYMBOLS_ARE}"
    title = f"Summary of findings: {result.title}{part_of}, against {name}"
    id = anchor("network-sof", f"{result.id}{f'-{part.number}' if part_of else ''}")
    return Table(id, title, heads, tuple(rows), note=note, cards=True)


def _rank(at: int, scores: Mapping[str, float], name: str) -> Cell:
    return Cell(f"{at} of {len(scores)}", lines=(Line(f"P-score {fixed(scores[name])}"),))


def _rating(c: NetworkCertainty) -> str:
    return " ".join(x for x in (c.symbols, c.certainty) if x)


def _shows_proposal(c: NetworkCertainty) -> bool:
    return c.certainty == NOT_RATED or c.certainty != c.proposed


def _comment(c: NetworkCertainty) -> str:
    """What lowered it, by domain; what a person should look at."""
    lowered = [f"{d.domain}: {d.in_force}" for d in c.domains if d.in_force not in ("not serious", NOT_RATED)]
    parts = [*(ended(x) for x in lowered), *(ended(n) for n in c.notes)]
    if c.certainty == NOT_RATED and c.rated.ask:
        parts.append(f"To judge: {ended(c.rated.ask)}")
    return " ".join(parts)


def _levels(result: NetworkResult, part: NetworkPart, found: Sequence[NetworkCertainty]) -> Table:
    """Direct, indirect and network certainty of the comparisons that the report prints."""
    few = len(part.treatments) <= MOST_IN_LEAGUE
    rows = []
    for c in found:
        if not few and c.comparison.against != part.reference and c.certainty == NOT_RATED:
            continue
        share = c.rated.direct_share
        rows.append(
            Row(
                (
                    Cell(f"{c.comparison.treatment} against {c.comparison.against}"),
                    value(c.rated.direct, missing="–"),
                    value(c.rated.indirect, missing="–"),
                    Cell("–" if c.rated.direct is None else f"{100 * share:.0f}"),
                    Cell(c.follows),
                    Cell(_rating(c)),
                    Cell(lines=tuple(Line(ended(step)) for step in c.rated.steps)),
                )
            )
        )
    heads = columns("#Comparison", "Direct evidence", "Indirect evidence", ">Direct, %", "Follows", "Decided",
                    "+Step by step")  # fmt: skip
    part_of = f", part {part.number}" if len(result.parts) > 1 else ""
    id = anchor("network-levels", f"{result.id}{f'-{part.number}' if part_of else ''}")
    note = (
        "Direct and indirect evidence before imprecision. “Follows” is what the domains lead to, as decided where a "
        "person decided and as proposed elsewhere."
    )
    caption = f"Certainty of each comparison: {result.title}{part_of}"
    return Table(id, caption, heads, tuple(rows), note=note, cards=True)


def _decisions(result: NetworkResult, found: Sequence[NetworkCertainty]) -> Table:
    """Each domain: proposal with its rule and numbers, decision with its reason; undecided ones of the reference."""
    rows = []
    references = {part.reference for part in result.parts}
    for c in found:
        name = f"{c.comparison.treatment} against {c.comparison.against}"
        on_record = c.overall is not None or any(d.decision for d in c.domains)
        if not on_record and c.comparison.against not in references:
            continue
        for d in c.domains:
            rule = f"{d.proposal.rule} ({'; '.join(d.proposal.numbers)})" if d.proposal.numbers else d.proposal.rule
            reason = (d.decision.reason or "as proposed") if d.decision else ""
            ask = () if d.decision or not d.proposal.ask else (Line(f"To judge: {d.proposal.ask}"),)
            rows.append(
                Row((Cell(name), Cell(d.domain), Cell(d.rating), Cell(d.proposal.rating), Cell(rule, lines=ask),
                     value(reason, missing="–"), value(d.decision.assessor if d.decision else None, missing="–")))
            )  # fmt: skip
        if c.overall is not None:
            reason = "; ".join(x for x in (c.overall.reason or "follows from the domains", *c.notes) if x)
            rows.append(
                Row((Cell(name), Cell("overall"), Cell(_rating(c)), Cell(c.proposed), Cell("–"), Cell(reason),
                     value(c.overall.assessor)))
            )  # fmt: skip
    heads = columns("#Comparison", "Domain", "Decided", "Proposed", "+Rule and numbers", "+Reason", "Assessor")
    note = "Comparisons with the reference, and any other that has a decision. A proposal alone is no rating."
    caption = f"How certainty was decided: {result.title}"
    return Table(anchor("network-decisions", result.id), caption, heads, tuple(rows), note=note, cards=True)
