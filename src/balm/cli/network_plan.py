"""``balm network DIR``: the networks that a review package plans, from its arms."""

from __future__ import annotations

import argparse
from typing import Any

from balm.cli.command import UsageError, known, print_json
from balm.vocabulary.problems import InputError, unknown_option

#: Options that the plan of a review says instead, with what they are without being given.
OF_THE_PLAN: dict[str, Any] = {
    "measure": "GEN", "model": "random", "tau2": "REML", "better": "lower", "reference": None, "level": 0.95,
    "important": None, "baseline": None, "transitivity": None, "covariate": [],
    "counts": "whole",
}  # fmt: skip
#: Files that hold one network.
OF_ONE = ("graph", "heat", "contributions", "cinema", "summary")


def run_plan(arguments: argparse.Namespace) -> int:
    """Carry out the planned networks and print them."""
    for name, usual in OF_THE_PLAN.items():
        if getattr(arguments, name) != usual:
            raise UsageError(f"--{name} belongs to a table; in a review package its plan says it ([[networks]])")
    from balm.actions.review import Review

    review = Review.load(arguments.file)
    found = {n.id: n for n in review.synthesise().networks}
    if not found:
        raise InputError(f"{arguments.file}: the plan names no network; add [[networks]] to review.toml")
    if arguments.plan is not None:
        if arguments.plan not in found:
            raise unknown_option("--plan", arguments.plan, list(found))
        found = {arguments.plan: found[arguments.plan]}
    files = [name for name in OF_ONE if getattr(arguments, name)]
    if files and len(found) > 1:
        raise UsageError(f"--{files[0]} takes one network: add --plan with one of {', '.join(found)}")
    for result in found.values():
        _write(review, result, arguments)
    if arguments.json:
        print_json([_values(review, result) for result in found.values()])
        return 0
    print("\n\n".join(_text(review, result, arguments) for result in found.values()))
    return 0


def _write(review: Any, result: Any, arguments: argparse.Namespace) -> None:
    """The files asked for, of the part that holds the reference."""
    if not any(getattr(arguments, name) for name in OF_ONE):
        return
    if result.fit is None:
        raise InputError(f"network {result.id}: there is no estimate to write")
    if arguments.graph:
        from balm.plots.network_graph import network_graph

        network_graph(result.fit, arguments.graph)
    if arguments.heat:
        from balm.plots.net_heat import net_heat

        net_heat(result.fit, arguments.heat)
    if arguments.contributions:
        from balm.actions.network_out import write_contributions

        write_contributions(result.fit.contributions(arguments.paths), arguments.contributions)
    if arguments.cinema:
        from balm.actions.network_certainty import write_planned_cinema

        write_planned_cinema(review.package, result, arguments.cinema, rule=arguments.rule)
    if arguments.summary:
        from balm.actions.network_certainty import write_planned_summary

        write_planned_summary(review.package, result, arguments.summary)


def _values(review: Any, result: Any) -> dict[str, Any]:
    """One network as plain values: its parts, what was not used and the numbers used."""
    from balm.cli.network import values_of

    labels = {s.study: s.label for s in review.package.studies}
    return {
        "id": result.id,
        "title": result.title,
        "outcome": result.outcome.id,
        "parts": [
            {
                "treatments": list(part.treatments),
                "reference": part.reference,
                "why_none": part.why or None,
                "result": None if part.fit is None else values_of(part.fit),
                "arms": [
                    {"study": s.study, "label": s.label, "treatment": a.treatment, **a.values, "rows": list(a.results)}
                    for s in part.studies
                    for a in s.arms
                ],
            }
            for part in result.parts
        ],
        "not_used": [{"study": s, "label": labels[s], "why": known(why)} for s, why in result.not_used],
        "why_none": result.why_none or None,
    }


def _text(review: Any, result: Any, arguments: argparse.Namespace) -> str:
    from balm.cli.network import aligned, flow_table
    from balm.report import network_words as words

    labels = {s.study: s.label for s in review.package.studies}
    lines = [f"{result.title} [{result.id}]", words.scope(result)]
    lines += [text for text in (words.parts_words(result), words.not_used_words(result), result.why_none) if text]
    for part in result.parts:
        if len(result.parts) > 1:
            lines += ["", f"Part {part.number}: {', '.join(part.treatments)}"]
        lines += words.finding(part, result.spec.reference)
        if part.fit is None:
            continue
        lines += ["", str(part.fit)]
        design = part.designs
        for name, test in (("within designs", design.within_designs), ("between designs", design.between)):
            p = f", P = {test.p:.3g}" if test.df else ""
            lines.append(f"Q {name} = {test.q:.2f}, df = {test.df}{p}")
        lines += words.inconsistency(part)
        if arguments.league:
            lines += ["", aligned(part.fit.league_table())]
        if arguments.flow:
            lines += ["", aligned(flow_table(part.fit))]
    if result.not_used:
        lines += ["", "Eligible, but not in the network:"]
        lines += [f"  {labels[study]}: {why}" for study, why in result.not_used]
    return "\n".join(lines)
