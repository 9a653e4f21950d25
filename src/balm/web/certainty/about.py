"""What stands above the domains of a rating: the result it is about, and what its certainty begins with."""

from __future__ import annotations

from typing import Any

from balm.report import network_words as words
from balm.report.html_report.analysis_view import shown_name
from balm.report.network_walk import Places
from balm.review.certainty.planned_network import important_of
from balm.review.certainty.to_rate import AnalysisToRate, ComparisonToRate, ToRate
from balm.vocabulary.numbers import level, plain


def shown_of(it: ToRate) -> dict[str, Any]:
    """The template for it, and its values."""
    if isinstance(it, AnalysisToRate):
        return {"with": "certainty/about.html", "result": it.result, "mid": it.result.outcome.important_difference}
    assert isinstance(it, ComparisonToRate)
    return {"with": "certainty/about_comparison.html"} | _comparison(it)


def _comparison(it: ComparisonToRate) -> dict[str, Any]:
    c, fit = it.certainty, it.part.network
    effect = words.effect(fit, c.comparison, words.effect_digits(fit, [c.comparison]))
    levels = ", ".join(
        f"{kind} evidence {found}"
        for kind, found in (("direct", c.rated.direct), ("indirect", c.rated.indirect))
        if found
    )
    share = f"; {100 * c.rated.direct_share:.0f}% of the information is direct" if c.rated.kind == "mixed" else ""
    low, some, high = (f"{100 * share:.0f}%" for share in c.rated.bias_shares)
    important, source = important_of(it.result)
    unit = f" {it.result.outcome.unit}" if it.result.measure == "MD" and it.result.outcome.unit else ""
    return {
        "result": it.result,
        "effect": f"{shown_name(fit.measure)} {effect}{unit}, {level(fit.level)} interval",
        "evidence": f"{levels} (before imprecision){share}",
        "bias": f"{low} from studies at low risk of bias, {some} unclear or not assessed, {high} high",
        "important": "" if important is None else f"{plain(important)}{unit} ({source.rstrip('.')})",
        "place": Places(it.result).address("estimate", c.comparison.treatment, c.comparison.against),
    }
