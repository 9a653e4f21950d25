"""The section on planned networks: for each its graph, model, league, forest, ranking, inconsistency, contributions."""

from __future__ import annotations

from collections.abc import Sequence

from balm.plots.figure import Figure
from balm.plots.forest import forest
from balm.plots.network_graph import network_graph
from balm.report import network_words as words
from balm.report.document.network_tables import (
    against_table,
    arms_table,
    comparisons_table,
    contributions_table,
    designs_table,
    direct_table,
    league_table,
    model_table,
    split_table,
)
from balm.report.document.parts import Block, Listing, Picture, Run, Section, said
from balm.report.document.wording import ended, many
from balm.report.html_report.analysis_view import shown_name
from balm.report.html_report.links import anchor, place
from balm.report.html_report.study_tables import study_link
from balm.report.network_walk import MOST_IN_LEAGUE, Places
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.networks.planned import NETWORK_RATIOS
from balm.review.synthesis import Synthesis
from balm.stats.effect_sizes import EffectSizes
from balm.vocabulary.numbers import fixed, level

#: Up to so many treatments a league table is no wider than a page.
MOST_ACROSS = 6
GRAPH = (
    "A line is a direct comparison, as thick as its number of studies; a circle is a treatment, as large as its number "
    "of studies."
)


def networks_section(synthesis: Synthesis, numbers: dict[str, int], *, paper: bool = False) -> Section | None:
    """Every planned network in a subsection of its own; ``None`` where the plan names none.

    On ``paper`` a league table of more treatments than a page is wide becomes a list of its comparisons.
    """
    if not synthesis.networks:
        return None
    count = len(synthesis.networks)
    intro = (
        f"{many(count, 'network meta-analysis', 'network meta-analyses').capitalize()} "
        f"{'was' if count == 1 else 'were'} planned: every treatment is compared with every other, from direct and "
        "indirect evidence together. This rests on transitivity: that the studies of different comparisons resemble "
        "each other in whatever changes the effects. No number shows that; a person has to judge it."
    )
    made = tuple(network_section(result, synthesis, numbers, paper=paper) for result in synthesis.networks)
    return Section("networks", "Network meta-analyses", (said(intro),), made)


def network_section(
    result: NetworkResult, synthesis: Synthesis, numbers: dict[str, int], *, paper: bool = False
) -> Section:
    """One network: all parts of it, the arms behind it, and what could not be used."""
    places = Places(result)
    told = (words.scope(result), result.spec.note or "")
    blocks: list[Block] = [said(text, kind="note") for text in told if text]
    told = (words.parts_words(result), words.not_used_words(result), result.why_none)
    blocks += [said(text) for text in told if text]
    for part in result.parts:
        blocks += _part(result, part, places, paper)
    if result.studies:
        blocks.append(arms_table(result, synthesis, numbers))
    if result.not_used:
        package = synthesis.package
        blocks.append(said("Eligible, but not in this network:"))
        blocks.append(
            Listing(
                tuple(
                    (Run(link.text, href=link.href), Run(f": {why}."))
                    for link, why in ((study_link(package, s), why) for s, why in result.not_used)
                )
            )
        )
    return Section(anchor("analysis", result.id), result.title, tuple(blocks))


def _part(result: NetworkResult, part: NetworkPart, places: Places, paper: bool) -> list[Block]:
    several = len(result.parts) > 1
    name = f"{result.title}, part {part.number}" if several else result.title
    id = anchor("network", f"{result.id}-{part.number}" if several else result.id)
    blocks: list[Block] = []
    if several:
        blocks.append(said(f"Part {part.number}: {', '.join(part.treatments)}."))
    blocks += [said(text) for text in words.finding(part, result.spec.reference)]
    fit = part.fit
    if fit is None:
        return blocks
    if len(fit.treatments) > 2:
        drawn = network_graph(fit, title=f"Network: {name}")
        blocks.append(Picture(f"{id}-graph", drawn, f"Network graph: {name}. {GRAPH}"))
        blocks.append(direct_table(part, fit, places, id, name))
    blocks.append(model_table(part, fit, places, id, name, several))
    caption = f"Forest plot: {name}. Network estimates against {fit.reference}, the best P-score first."
    blocks.append(Picture(f"{id}-forest", network_forest(result, part, places), caption))
    blocks.append(against_table(part, fit, places, id, name, several))
    if len(fit.treatments) <= MOST_IN_LEAGUE and len(fit.treatments) > 2:
        listed = paper and len(fit.treatments) > MOST_ACROSS
        blocks.append((comparisons_table if listed else league_table)(fit, places, id, name))
    elif len(fit.treatments) > 2:
        pairs = len(fit.treatments) * (len(fit.treatments) - 1) // 2
        blocks.append(said(f"A league table of {len(fit.treatments)} treatments has {pairs} comparisons and cannot be "
                           "read on a page; those with the reference stand above.", kind="note"))  # fmt: skip
    blocks.append(said(words.ranking(fit)))
    blocks += [said(text) for text in words.inconsistency(part)]
    blocks += [
        table for table in (designs_table(part, id, name), split_table(fit, places, id, name)) if table is not None
    ]
    if len(fit.treatments) > 2:
        blocks.append(contributions_table(part, places, id, name))
    return blocks


def network_forest(result: NetworkResult, part: NetworkPart, places: Places | None = None) -> Figure:
    """Every treatment against the reference of its part, with its P-score; a row leads to what stands behind it."""
    fit = part.fit
    assert fit is not None
    found = words.against_reference(fit)
    names = [c.treatment for c in found]
    scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    effects = EffectSizes(
        effect=[c.estimate for c in found], variance=[c.se**2 for c in found], study=names, measure=result.measure
    )
    options: dict[str, object] = {}
    if places is not None:
        options["study_link"] = {t: f"#{place(result.id, places.pair(t, fit.reference))}" for t in names}
    if result.spec.important is not None or _outcome_difference(result) is not None:
        options["reference"] = _limits(result)
    count = many(len(names), "treatment")
    return forest(
        effects,
        title=f"{result.title}: against {fit.reference}",
        study_heading=f"Against {fit.reference}",
        favours=(f"favours {'treatment' if fit.better == 'lower' else fit.reference}",
                 f"favours {fit.reference if fit.better == 'lower' else 'treatment'}"),
        columns=("effect",),
        extra={"P-score": [fixed(scores[t]) for t in names]},
        level=fit.level,
        description=f"{shown_name(result.measure)} of {count} against {fit.reference}, estimated from the network, "
                    f"each with its {level(fit.level)} interval.",
        **options,
    )  # fmt: skip


def _outcome_difference(result: NetworkResult) -> float | None:
    d = result.outcome.important_difference
    return abs(d.value) if d is not None and d.between_groups and result.measure == "MD" else None


def _limits(result: NetworkResult) -> list[tuple[float, str]]:
    """The limits of importance on both sides of no effect."""
    if result.spec.important is None:
        x = _outcome_difference(result) or 0.0
        return [(-x, "MID"), (x, "MID")]
    x = result.spec.important
    if result.measure in NETWORK_RATIOS:
        return [(min(x, 1 / x), "MID"), (max(x, 1 / x), "MID")]
    return [(-abs(x), "MID"), (abs(x), "MID")]


def at_a_glance(results: Sequence[NetworkResult]) -> list[str]:
    """A sentence or two for each network, as an abstract has them."""
    found = []
    for result in results:
        told = words.finding(result.parts[0]) if result.parts else [result.why_none]
        found.append(
            f"{result.title}: {' '.join(told[:2])}" + (f" {words.parts_words(result)}" if result.parts[1:] else "")
        )
    return [ended(text) for text in found]
