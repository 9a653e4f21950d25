"""The tables of a network: direct comparisons, model, each treatment against the reference, league, designs, splits,
contributions, and the arms behind it all."""

from __future__ import annotations

import math
from collections.abc import Container
from itertools import combinations

from balm.report import network_words as words
from balm.report.html_report.analysis_view import shown_name
from balm.report.html_report.links import anchor, place
from balm.report.html_report.rows_view import group_values, note_text, step_line
from balm.report.html_report.sensitivity_view import p_cell
from balm.report.html_report.study_tables import sources
from balm.report.html_report.table import Cell, Line, Link, Row, Table, columns, filled, number
from balm.report.network_walk import Places, mixed, printed_pairs
from balm.report.rounding import i2_percent
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.networks.planned import NETWORK_RATIOS
from balm.review.synthesis import Synthesis
from balm.stats.network.designs import QTest
from balm.stats.network.network import Network
from balm.vocabulary.numbers import fixed, level, p_value, short

#: Direct comparisons that the cell of contributions names; the rest is told as a sum.
MOST_SHARES = 6


def direct_table(part: NetworkPart, fit: Network, places: Places, id: str, name: str) -> Table:
    """Direct comparisons with their studies and people."""
    held: dict[tuple[str, str], list[float]] = {}
    for study in part.studies:
        size = {arm.treatment: arm.values["n"] for arm in study.arms}
        for a, b in combinations(sorted(size, key=str.casefold), 2):
            own = max(size[a], size[b]) if study.design == "cross-over" else size[a] + size[b]
            held.setdefault((a, b), []).append(own)
    rows = tuple(
        Row((Cell(f"{a} against {b}"), Cell(str(len(sizes))), Cell(f"{sum(sizes):.0f}")))
        for (a, b), sizes in sorted(held.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    heads = columns("#Direct comparison", ">Studies", ">People")
    note = "A study of several arms stands in each comparison of its arms."
    return Table(f"{id}-direct", f"Studies for each direct comparison: {name}", heads, rows, note=note, narrow=True)


def model_table(part: NetworkPart, fit: Network, places: Places, id: str, name: str, several: bool) -> Table:
    before = f"part-{part.number}-" if several else ""
    design = part.designs

    def q(key: str, test: QTest) -> Cell:
        if test.df == 0:
            return Cell("not estimable: df = 0", absent=True)
        return Cell(f"{fixed(test.q)} (df = {test.df}), {p_value(test.p)}", href=places.href(before + key))

    told = [("Studies", Cell(str(fit.k), href=places.href(f"{before}studies"))),
            ("People", Cell(f"{part.people:.0f}", href=places.href(f"{before}people"))),
            ("Model", Cell(_model_words(fit)))]  # fmt: skip
    if fit.model == "random":
        unknown = fit.q.df == 0
        tau2 = Cell("not estimable", absent=True) if unknown else Cell(
            short(fit.tau2.value), href=places.href(f"{before}tau2"))  # fmt: skip
        told.append(("τ²", tau2))
    i2 = Cell("not estimable", absent=True)
    if fit.q.df:
        ends = fit.i2_interval
        interval = "" if math.isnan(ends.low) else f" ({ends.low:.0f} to {ends.high:.0f})"
        i2 = Cell(f"{i2_percent(fit.i2)}{interval}", href=places.href(f"{before}i2"))
    told += [
        ("I²", i2),
        ("Q, heterogeneity and inconsistency", q("q", fit.q)),
        ("Q within designs, heterogeneity", q("q-within", design.within_designs)),
        ("Q between designs, inconsistency", q("q-between", design.between)),
        ("Design-by-treatment interaction, random effects", q("interaction", design.interaction)),
    ]
    rows = tuple(Row((Cell(what), cell)) for what, cell in told)
    heads = columns("#Quantity", ">Value")
    note = "Q is of the common-effect model; it falls into a part within designs and a part between them."
    return Table(f"{id}-model", f"Model and heterogeneity: {name}", heads, rows, note=note, narrow=True)


def _model_words(fit: Network) -> str:
    if fit.model == "common":
        return "common effect"
    return f"random effects, one τ² for all comparisons ({fit.tau2.estimator})"


def against_table(part: NetworkPart, fit: Network, places: Places, id: str, name: str, several: bool) -> Table:
    found = words.against_reference(fit)
    digits = words.effect_digits(fit, found)
    studies = {frozenset((s.treatment_1, s.treatment_2)): s.k for s in fit.split()}
    scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    rows = []
    for c in found:
        ends = (c.estimate, *c.interval, *c.prediction)
        shown = [math.nan if math.isnan(x) else words.shown(fit, x) for x in ends]
        keys = ("estimate", "low", "high", "prediction-low", "prediction-high")
        rows.append(
            Row(
                (
                    Cell(c.treatment, href=f"#{place(places.network, places.pair(c.treatment, fit.reference))}"),
                    Cell(str(studies[frozenset((c.treatment, fit.reference))])),
                    *(
                        number(
                            x,
                            digits,
                            ratio=fit.measure in NETWORK_RATIOS,
                            href=places.href(key, c.treatment, fit.reference),
                        )
                        for key, x in zip(keys, shown, strict=True)
                    ),
                    _linked(p_cell(c.p), places.href("p", c.treatment, fit.reference)),
                    Cell(fixed(scores[c.treatment]), href=places.href("p-score", c.treatment)),
                )
            )
        )
    own = Cell(fixed(scores[fit.reference]), href=places.href("p-score", fit.reference))
    gap = Cell("–")
    rows.append(Row((Cell(f"{fit.reference} (reference)"), gap, gap, gap, gap, gap, gap, gap, own)))
    heads = columns("#Treatment", ">Direct studies", f">{shown_name(fit.measure)}", ">Low", ">High", ">Prediction, low",
                    ">Prediction, high", ">P", ">P-score")  # fmt: skip
    shown_heads, shown_rows = filled(heads, rows)
    note = f"{level(fit.level)} intervals. Best P-score first; the P-score of the reference ranks it among the others."
    caption = f"Each treatment against {fit.reference}: {name}"
    return Table(f"{id}-against", caption, shown_heads, shown_rows, note=note, cards=True)


def _linked(cell: Cell, href: str) -> Cell:
    return Cell(cell.text, href=href) if cell.text not in ("", "–") else cell


def league_table(fit: Network, places: Places, id: str, name: str) -> Table:
    """Best first; a cell is its row against its column."""
    best = [c.treatment for c in words.against_reference(fit)]
    scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    order = sorted(fit.treatments, key=lambda t: -scores[t])
    every = [fit.compare(a, b) for a, b in combinations(order, 2)]
    digits = words.effect_digits(fit, every)
    known = {(t, fit.reference) for t in best} | set(combinations(best, 2))
    rows = []
    for a in order:
        cells = [Cell(a)]
        for b in order:
            if a == b:
                cells.append(Cell("–"))
                continue
            key = (a, b) if (a, b) in known else (b, a)
            cells.append(
                Cell(words.effect(fit, fit.compare(a, b), digits), href=f"#{place(places.network, places.pair(*key))}")
            )
        rows.append(Row(tuple(cells)))
    heads = columns("#Row against column", *order)
    note = f"{shown_name(fit.measure)} with {level(fit.level)} interval, row against column; best P-score first."
    return Table(f"{id}-league", f"League table: {name}", heads, tuple(rows), note=note)


def comparisons_table(fit: Network, places: Places, id: str, name: str) -> Table:
    """What a league table holds, a comparison a line: the better P-score against each after it."""
    scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    order = sorted(fit.treatments, key=lambda t: -scores[t])
    every = [fit.compare(a, b) for a, b in combinations(order, 2)]
    digits, pairs = words.effect_digits(fit, every), set(printed_pairs(fit))
    rows = tuple(
        Row(
            (
                Cell(c.treatment),
                Cell(c.against),
                Cell(words.effect(fit, c, digits), href=_behind(places, pairs, c.treatment, c.against)),
            )
        )
        for c in every
    )
    heads = columns("#Treatment", "Against", f">{shown_name(fit.measure)} ({level(fit.level)} interval)")
    note = "All comparisons, best P-score first: what a league table holds, as a list."
    return Table(f"{id}-league", f"League table, as a list: {name}", heads, rows, note=note, narrow=True)


def designs_table(part: NetworkPart, id: str, name: str) -> Table | None:
    """Q of each design, and what is left between designs without it."""
    fit, design = part.network, part.designs
    if len(design.design) < 2 or (design.between.df == 0 and design.within_designs.df == 0):
        return None

    def q(test: QTest | None, missing: str) -> tuple[Cell, Cell, Cell]:
        if test is None or test.df == 0:
            gap = Cell(missing, absent=True)
            return gap, gap, gap
        return Cell(fixed(test.q)), Cell(str(test.df)), p_cell(test.p)

    data = fit.contrasts
    held: list[set[int]] = [set() for _ in data.studies]
    for s, a, b in zip(data.study.tolist(), data.first.tolist(), data.second.tolist(), strict=True):
        held[s] |= {a, b}
    arms = [[data.treatments[t] for t in sorted(one)] for one in held]
    named = {":".join(one): ", ".join(one) for one in arms}
    rows = tuple(
        Row((Cell(named[d]), Cell(str(k)), *q(inside, "–"), *q(without, "–")))
        for d, k, inside, without in zip(design.design, design.studies, design.within, design.detached, strict=True)
    )
    heads = columns("#Design", ">Studies", ">Q within", ">df", ">P", ">Q between, without it", ">df", ">P")
    note = "A design is the set of treatments that a study compares. – : no degrees of freedom, or no loop closed."
    return Table(f"{id}-designs", f"Q by design: {name}", heads, rows, note=note, cards=True)


def split_table(fit: Network, places: Places, id: str, name: str) -> Table | None:
    """Direct and indirect evidence of each comparison that has both."""
    found = mixed(fit)
    if not found:
        return None
    rows, pairs = [], set(printed_pairs(fit))
    scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    for s in sorted(found, key=lambda s: s.p):
        first = scores[s.treatment_1] >= scores[s.treatment_2] and s.treatment_1 != fit.reference
        forward = s.treatment_2 == fit.reference or first
        a, b = (s.treatment_1, s.treatment_2) if forward else (s.treatment_2, s.treatment_1)
        sign = 1.0 if forward else -1.0
        values = [words.shown(fit, sign * x) for x in (s.direct, s.indirect, s.effect)]
        values.append(words.shown(fit, sign * s.difference))
        rows.append(
            Row(
                (
                    Cell(f"{a} against {b}", href=_behind(places, pairs, a, b)),
                    Cell(str(s.k)),
                    Cell(f"{100 * s.proportion:.0f}"),
                    *(number(x, 2, ratio=fit.measure in NETWORK_RATIOS) for x in values),
                    p_cell(s.p),
                )
            )
        )
    apart = ">Ratio of the two" if fit.measure in NETWORK_RATIOS else ">Difference of the two"
    heads = columns("#Comparison", ">Studies", ">Direct, %", ">Direct", ">Indirect", ">Network", apart, ">P")
    note = "Lowest P first. A P value that is not low is no proof that direct and indirect evidence agree."
    return Table(f"{id}-split", f"Direct against indirect evidence: {name}", heads, tuple(rows), note=note, cards=True)


def _behind(places: Places, pairs: Container[tuple[str, str]], a: str, b: str) -> str:
    """The link to a comparison, by whichever order of the two is printed."""
    key = (a, b) if (a, b) in pairs else (b, a)
    return f"#{place(places.network, places.pair(*key))}"


def contributions_table(part: NetworkPart, places: Places, id: str, name: str) -> Table:
    """What each direct comparison contributes to the estimates against the reference."""
    fit, found = part.network, part.shares
    at = {frozenset(ends): i for i, ends in enumerate(combinations(fit.treatments, 2))}
    rows = []
    for c in words.against_reference(fit):
        own = found.values[at[frozenset((c.treatment, c.against))]].tolist()
        named = (f"{a} against {b}" for a, b in found.ends)
        shares = sorted(zip(own, named, strict=True), reverse=True)
        lines = [f"{told} {100 * x:.0f}%" for x, told in shares[:MOST_SHARES] if x >= 0.005]
        rest = sum(x for x, _ in shares[len(lines) :])
        if rest >= 0.005:
            lines.append(f"others {100 * rest:.0f}%")
        behind = f"#{place(places.network, places.pair(c.treatment, c.against))}"
        cells = (Cell(f"{c.treatment} against {c.against}", href=behind), Cell(lines=tuple(Line(x) for x in lines)))
        rows.append(Row(cells))
    heads = columns("#Estimate", "+Direct comparisons that contribute")
    note = "Shares of the information, by shortest paths of evidence; those of studies stand behind each estimate."
    return Table(f"{id}-contributions", f"Contributions: {name}", heads, tuple(rows), note=note)


def arms_table(result: NetworkResult, synthesis: Synthesis, numbers: dict[str, int]) -> Table:
    """Every arm of the network: the numbers used, conversions, notes and the rows they came from."""
    package = synthesis.package
    several, keys = len(result.parts) > 1, Places(result).keys
    rows = []
    for part in result.parts:
        for study in part.studies:
            reports = {r.result: r.report for r in package.results_of(study.study)}
            for i, arm in enumerate(study.arms):
                places = tuple(
                    Link(f"row {n}", "#" + anchor("result", r)) for n, r in zip(arm.rows, arm.results, strict=True)
                )
                notes = dict.fromkeys((*(study.notes if i == 0 else ()), *arm.notes))
                report = next((reports[r] for r in arm.results if reports.get(r)), None)
                rows.append(
                    Row(
                        (
                            Cell(study.label, href=f"#{place(result.id, study=study.study)}"),
                            Cell(str(part.number) if several else ""),
                            Cell(arm.treatment),
                            Cell(study.timepoint or "not stated"),
                            Cell(group_values(arm.values, 1)),
                            Cell(lines=tuple(step_line(step, package, study) for step in arm.steps)),
                            Cell(lines=tuple(Line(note_text(note, package, study)) for note in notes)),
                            Cell(links=places),
                            sources(package, " ; ".join(arm.sources), report, numbers),
                        ),
                        id=anchor(f"row-{result.id}", f"{study.study}-{keys[arm.treatment]}"),
                    )
                )
    heads = columns("#Study", "Part", "Treatment", "Time point", "Numbers used", "+Conversions", "+Notes",
                    "Rows of results.csv", "@Source")  # fmt: skip
    shown, made = filled(heads, rows)
    note = "Each row number leads to the value as reported."
    return Table(
        anchor("rows", result.id), f"Arms behind the network: {result.title}", shown, made, note=note, cards=True
    )
