"""A trial sequential analysis in words: a sentence, a methods paragraph and a table."""

from __future__ import annotations

import math
from typing import Any

from balm.report.methods_text import software
from balm.report.result_sentence import measure_name
from balm.report.result_table import Table, html_of, text_of
from balm.stats.sequential.boundaries import SPENDING
from balm.stats.sequential.sequential_analysis import CONCLUSIONS, SequentialAnalysis
from balm.stats.transforms import displayed
from balm.vocabulary.numbers import fixed, level, percent, plain, short


def sentence(fit: SequentialAnalysis, *, minus: str = "-") -> str:
    """What was concluded and when, how much information there is, and the interval adjusted for looking."""
    if fit.decided is None:
        said = f"After {_looks(fit.k)}, {CONCLUSIONS[fit.conclusion]}"
    else:
        last = "" if fit.decided + 1 == fit.k else f", {fit.k - fit.decided - 1} before the last"
        said = f"At {fit.study[fit.decided]} (study {fit.decided + 1} of {fit.k}{last}), {CONCLUSIONS[fit.conclusion]}"
    held = "the study holds" if fit.k == 1 else "the studies hold"
    said += f"; {held} {percent(100 * float(fit.fraction[-1]))} of the required information"
    if math.isfinite(fit.required_participants):
        said += f" (about {plain(math.ceil(fit.required_participants))} participants)"
    name = measure_name(fit.fit.measure)
    if not math.isfinite(fit.adjusted.low):
        return f"{said}. It is too early for an interval of the {name} that allows for repeated looks."
    value, low, high = (_shown(fit, x, minus) for x in (fit.estimate[_tested(fit)], *fit.adjusted))
    ci = level(fit.adjusted.level)
    return f"{said}. The {name} is {value} ({ci} interval adjusted for repeated looks {low} to {high})."


def methods(fit: SequentialAnalysis) -> str:
    """Every choice in force."""
    inner = (
        f", with non-binding boundaries of futility from {SPENDING[fit.beta_spending]} beta-spending"
        if fit.beta_spending
        else ""
    )
    alone = "; one study shows no diversity" if fit.k == 1 else ""
    return (
        f"Trial sequential analysis: after each study the meta-analysis was repeated "
        f"({fit.fit.conventions.get('model')} effects) and its Z compared with boundaries from "
        f"{SPENDING[fit.spending]} alpha-spending (Lan and DeMets 1983) with a two-sided error of "
        f"{fit.alpha:g} over all looks{inner}. The "
        f"required information is that for an effect of {_shown(fit, fit.delta, '-')} with power "
        f"{fit.planned_power:g}, divided by one minus the diversity D² = {percent(100 * fit.diversity)} "
        f"(Wetterslev et al. 2009{alone}); these looks have a power of {fixed(fit.power)}. Boundaries were computed by "
        f"recursive numerical integration. "
        f"{software()}"
    )


def text(fit: SequentialAnalysis) -> str:
    """The table that a terminal shows."""
    return text_of(_table(fit))


def html(fit: SequentialAnalysis) -> str:
    """The table that a notebook shows."""
    return html_of(_table(fit), sentence(fit))


def _table(fit: SequentialAnalysis) -> Table:
    rows = []
    for i, study in enumerate(fit.study):
        cells = [
            study,
            _shown(fit, fit.estimate[i], "-"),
            percent(100 * float(fit.fraction[i]), 1),
            fixed(float(fit.z[i])),
            _bound(fit.boundary[i]),
        ]
        rows.append(tuple(cells + ([_bound(fit.futility[i])] if fit.beta_spending else [])))
    head = ("Up to", "Effect", "Information", "Z", "Boundary") + (("Futility",) if fit.beta_spending else ())
    notes = [f"Required information {short(fit.required)} (1/variance), D² = {percent(100 * fit.diversity)}"]
    if math.isfinite(fit.last_boundary):
        notes.append(f"Boundary at the required information: {fixed(fit.last_boundary)}")
    notes.append(f"{CONCLUSIONS[fit.conclusion][0].upper()}{CONCLUSIONS[fit.conclusion][1:]}.")
    title = f"Trial sequential analysis, {measure_name(fit.fit.measure)}: {_looks(fit.k)}"
    return Table(title, head, tuple(rows), lines=tuple(notes))


def _bound(value: float) -> str:
    return "none" if math.isinf(value) else "not tested" if math.isnan(value) else fixed(float(value))


def _tested(fit: SequentialAnalysis) -> int:
    return max(i for i, c in enumerate(fit.boundary.tolist()) if not math.isnan(c))


def _looks(k: int) -> str:
    return "1 study" if k == 1 else f"{k} studies"


def _shown(fit: SequentialAnalysis, value: float, minus: str) -> str:
    shown: Any = displayed(value, fit.fit.measure)
    return fixed(float(shown), minus=minus)
