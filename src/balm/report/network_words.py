"""A planned network in words: what was compared, what was found, how far it can be trusted, and how it was computed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from balm.report.document.wording import ended, listed, many
from balm.report.html_report.analysis_view import shown_name
from balm.report.references import REFERENCES
from balm.report.result_sentence import measure_name
from balm.report.rounding import digits_for, i2_percent, number, to
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.networks.planned import NETWORK_MEASURES, NETWORK_RATIOS
from balm.stats.network.network import Comparison, Network
from balm.stats.network.splitting import Split
from balm.vocabulary.numbers import MINUS, fixed, level, p_value, short

#: Comparisons with the reference that a sentence names; the table has all of them.
MOST_NAMED = 6
RANKING = (
    "A P-score is the mean certainty that a treatment is better than another one, from 0 to 1. It ranks the point "
    "estimates with their precision; it says nothing about how large a difference is, nor how certain the evidence is."
)
REFERENCED = (
    "Rücker 2012", "Rücker & Schwarzer 2014", "Rücker & Schwarzer 2015", "Krahn et al. 2013", "Higgins et al. 2012",
    "Dias et al. 2010", "Papakonstantinou et al. 2018",
)  # fmt: skip


def shown(fit: Network, x: float) -> float:
    """A value of the analysis scale as people read it."""
    if fit.measure not in NETWORK_RATIOS:
        return x
    return math.exp(x) if x < 700 else math.inf


def effect_digits(fit: Network, found: Sequence[Comparison]) -> int:
    """Decimals for comparisons that stand together."""
    return digits_for([shown(fit, c.interval.high) - shown(fit, c.interval.low) for c in found])


def effect(fit: Network, c: Comparison, digits: int) -> str:
    """An estimate with its interval, as in a table.

    >>> fit = __import__("balm").network("MD", study=["1"], treatment_1=["A"], treatment_2=["B"], effect=[-2], se=[0.5])
    >>> effect(fit, fit.compare("A", "B"), 2)
    '−2.00 (−2.98 to −1.02)'
    """
    ratio = fit.measure in NETWORK_RATIOS
    ends = to(shown(fit, c.interval.low), shown(fit, c.interval.high), digits, ratio=ratio, minus=MINUS)
    return f"{number(shown(fit, c.estimate), digits, ratio=ratio, minus=MINUS)} ({ends})"


def against_reference(fit: Network) -> tuple[Comparison, ...]:
    """Every other treatment against the reference, best first by P-score."""
    score = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    others = sorted((t for t in fit.treatments if t != fit.reference), key=lambda t: -score[t])
    return tuple(fit.compare(t) for t in others)


def scope(result: NetworkResult) -> str:
    """Measure, time and reference in one line."""
    windows = ", ".join(w.name for w in result.windows) or "any time point"
    unit = f", {result.outcome.unit}" if result.outcome.unit and result.measure == "MD" else ""
    better = {"lower": "Lower", "higher": "Higher"}[result.spec.better]
    return (
        f"All treatments against each other. {shown_name(result.measure)}{unit}. Time: {windows}. "
        f"Reference: {result.spec.reference}. {better} is better."
    )


def parts_words(result: NetworkResult) -> str:
    """That the network is not one, with its parts by name; empty where it is."""
    if len(result.parts) < 2:
        return ""
    named = "; ".join(
        f"({p.number}) {listed(p.treatments)}, {many(len(p.studies), 'study', 'studies')}" for p in result.parts
    )
    return (
        f"The network falls into {many(len(result.parts), 'part')} that no study connects: {named}. Each part is "
        "analysed on its own; treatments of different parts cannot be compared here."
    )


def size(part: NetworkPart) -> str:
    """How many studies, people, treatments and direct comparisons."""
    n, k = len(part.treatments), len(part.studies)
    pairs = n * (n - 1) // 2
    joined = {frozenset((a, b)) for s in part.studies for a in s.treatments for b in s.treatments if a != b}
    wide = sum(len(s.arms) > 2 for s in part.studies)
    arms = (
        ""
        if not wide
        else (
            "more than two arms" if wide == k else f"more than two arms in {many(wide, 'x').partition(' ')[0]} of them"
        )
    )
    people = many(round(part.people), "person", "people")
    if pairs == 1:
        direct = "all evidence is direct"
    elif len(joined) == pairs:
        direct = f"all {pairs} comparisons have direct evidence"
    else:
        direct = f"{len(joined)} of {pairs} comparisons {'has' if len(joined) == 1 else 'have'} direct evidence"
    return (
        f"{many(k, 'study', 'studies').capitalize()} with {people} {'compares' if k == 1 else 'compare'} "
        f"{many(n, 'treatment')}{f' ({arms})' if arms else ''}; {direct}."
    )


def finding(part: NetworkPart, planned: str = "") -> list[str]:
    """The part in sentences: its size, which treatments differ from the reference, and heterogeneity.

    planned : the reference of the plan, where the part may be without it.
    """
    if part.fit is None:
        return [size(part), f"No estimate: {ended(part.why)}"]
    fit = part.fit
    other = ""
    if planned and planned != part.reference:
        count = [sum(t in s.treatments for s in part.studies) for t in part.treatments]
        most = count[part.treatments.index(part.reference)]
        alone = "the one with most studies" if count.count(most) == 1 else "one of those with most studies"
        other = f"{planned} is not among them; they are shown against {part.reference}, {alone}."
    loops = part.designs.between.df > 0
    return [text for text in (size(part), other, _differing(fit), heterogeneity(fit, loops=loops)) if text]


def _differing(fit: Network) -> str:
    found = against_reference(fit)
    digits = effect_digits(fit, found)
    apart = [c for c in found if not c.interval.low <= 0.0 <= c.interval.high]
    coverage = level(fit.level)
    name = measure_name(fit.measure)
    if len(found) == 1:
        c = found[0]
        return f"{c.treatment} against {fit.reference}: {name} {effect(fit, c, digits)}, {coverage} interval."
    if not apart:
        return f"Against {fit.reference}, the {coverage} interval includes no effect for every treatment."
    named = "; ".join(f"{c.treatment} {effect(fit, c, digits)}" for c in apart[:MOST_NAMED])
    rest = len(apart) - MOST_NAMED
    more = f"; and {many(rest, 'further treatment')}" if rest > 0 else ""
    how = "all" if len(apart) == len(found) else f"{len(apart)} of"
    return (
        f"Against {fit.reference}, the {coverage} interval excludes no effect for {how} {len(found)} treatments "
        f"({name}): {named}{more}."
    )


def heterogeneity(fit: Network, *, loops: bool = True) -> str:
    """Tau2, I2 and Q, or that nothing can be said; without loops none of it can be inconsistency."""
    if fit.q.df == 0:
        return ended(" ".join(fit.notes))
    q = f"Q = {number(fit.q.q, 2)}, df = {fit.q.df}, {p_value(fit.q.p)}"
    tau2 = f"τ² = {short(fit.tau2.value)} ({fit.tau2.estimator}); " if fit.model == "random" else ""
    note = f" {ended('; '.join(fit.notes))}" if fit.notes else ""
    what = "Heterogeneity and inconsistency together" if loops else "Heterogeneity"
    return f"{what}: {tau2}I² {i2_percent(fit.i2)}; {q}.{note}"


def inconsistency(part: NetworkPart) -> list[str]:
    """What the tests of inconsistency found, or why there is none."""
    fit, design = part.network, part.designs
    if design.between.df == 0:
        return ["No loop of independent studies: direct and indirect evidence cannot disagree, and no test of "
                "inconsistency is possible. That is not the same as consistency."]  # fmt: skip
    test = design.interaction
    said = [
        f"Design-by-treatment interaction, random effects: Q = {number(test.q, 2)}, df = {test.df}, "
        f"{p_value(test.p)} (τ² within designs {short(design.tau2_within)})."
    ]
    split = [s for s in fit.split() if not math.isnan(s.p)]
    low = [s for s in split if s.p < 0.05]
    if split:
        count = many(len(low), "x").partition(" ")[0] if low else "none"
        verb = "differ" if len(low) > 1 else "differs"
        named = f": {'; '.join(pair(s) for s in low[:MOST_NAMED])}" if low else ""
        said.append(
            f"Direct and indirect evidence can be compared for {many(len(split), 'comparison')}; at P < 0.05 "
            f"{count} of them {verb}{named}. The tests have little power with few studies."
        )
    return said


def pair(s: Split | Comparison) -> str:
    """The two treatments of a comparison, in words."""
    one, two = (s.treatment_1, s.treatment_2) if isinstance(s, Split) else (s.treatment, s.against)
    return f"{one} against {two}"


def ranking(fit: Network) -> str:
    """Which treatments rank first by P-score, and what that means."""
    score = sorted(zip(fit.p_scores.tolist(), fit.treatments, strict=True), reverse=True)
    best = "; ".join(f"{name} {fixed(x)}" for x, name in score[:3])
    return f"Ranking by P-score: {best}{' first' if len(score) > 3 else ''}. {RANKING}"


def not_used_words(result: NetworkResult) -> str:
    """Treatments that only studies without information hold."""
    if not result.lost:
        return ""
    one = len(result.lost) == 1
    return (
        f"{listed(result.lost)} {'is' if one else 'are'} not in the network: the studies that compare "
        f"{'it say' if one else 'them say'} nothing about this measure."
    )


def methods(result: NetworkResult) -> str:
    """One paragraph that names every choice: data, measure, model, estimators, intervals, ranking and tests."""
    spec = result.spec
    ratio = " on the logarithmic scale" if spec.measure in NETWORK_RATIOS else ""
    model = (
        "a common-effect model"
        if spec.model == "common"
        else f"random effects, with one between-study variance for all comparisons estimated by {spec.tau2}"
    )
    lumped = "; ".join(f"{t.name} ({', '.join(t.arms)})" for t in spec.treatments if t.arms != (t.name,))
    named = f" Put together by the plan: {lumped}." if lumped else ""
    cells = (
        f" Where an arm of a study has no event, or only events, {spec.add:g} is added to the events and non-events of "
        "all its arms; studies without any event, or with events in everybody, say nothing about a ratio and are left "
        "out."
        if NETWORK_MEASURES[spec.measure] == "binary" and spec.measure != "RD"
        else ""
    )
    cells = (
        f" Variances of studies with an arm without events are computed with {spec.add:g} added to all cells."
        if spec.measure == "RD"
        else cells
    )
    coverage = level(spec.level)
    prediction = "" if spec.model == "common" else "; prediction intervals from t with the degrees of freedom of Q"
    return (
        f"Frequentist network meta-analysis of {measure_name(spec.measure)}s{ratio} on the graph of treatments "
        f"(Rücker 2012; Rücker & Schwarzer 2014), with {model}. A treatment is what the column {spec.treatment} of the "
        f"arms says.{named} The {spec.several} time point of a study in the window that has two treatments or more is "
        "used; arms of one treatment in one study are combined; a study of several arms enters with all of them and "
        f"their correlation.{cells} The reference is {spec.reference}. {coverage} intervals are normal{prediction}. "
        f"Treatments are ranked by P-scores (Rücker & Schwarzer 2015); {spec.better} is better. Inconsistency: Q "
        "within and between designs (Krahn et al. 2013), the design-by-treatment interaction under random effects "
        "(Higgins et al. 2012), and direct against indirect evidence for each comparison, the indirect estimate by "
        "back-calculation (Dias et al. 2010). Contributions of direct comparisons follow shortest paths of evidence "
        "(Papakonstantinou et al. 2018)."
    )


def method_references() -> tuple[str, ...]:
    """The works that :func:`methods` cites, in full."""
    return tuple(REFERENCES[key] for key in REFERENCED)
