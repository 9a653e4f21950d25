"""Results that hold several fits in words: subgroups, and series (leave-one-out, cumulative)."""

from __future__ import annotations

import math
from typing import Any

from balm.report.methods_text import methods as methods_of_fit
from balm.report.result_sentence import how, in_words, interval_in_words, is_ratio, measure_name
from balm.report.result_table import Table, html_of, text_of
from balm.report.rounding import digits_for, i2_percent, number, to
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.numbers import level, p_value, short
from balm.vocabulary.problems import InputError

#: What a series is called, by the name of its class.
SERIES = {
    "LeaveOneOut": ("Leave-one-out", "Without", "leaving out one study at a time"),
    "Cumulative": ("Cumulative", "Up to", "adding one study at a time"),
}


def is_subgroups(result: Any) -> bool:
    """Whether ``result`` has groups and a fit over all of them."""
    return hasattr(result, "overall") and hasattr(result, "groups")


def is_series(result: Any) -> bool:
    """Whether ``result`` is a row of fits, one a study."""
    return hasattr(result, "fits") and hasattr(result, "study") and not is_subgroups(result)


def groups_of(result: Any) -> list[tuple[str, Pooled | None]]:
    """Name and fit of each subgroup, in the order given."""
    groups = result.groups
    pairs = groups.items() if hasattr(groups, "items") else zip(groups, result.fits, strict=True)
    return [(str(name), fit) for name, fit in pairs]


def sentence(result: Any, *, minus: str = "-") -> str:
    """What the fits have in common and where they differ, without taking sides."""
    if is_subgroups(result):
        return _subgroup_sentence(result, minus)
    if is_series(result):
        return _series_sentence(result, minus)
    raise _unknown(result)


def methods(result: Any) -> str:
    """The methods of the common fit, and how the several fits were made from it."""
    if is_subgroups(result):
        common = "one τ² common to all subgroups" if _tau2_common(result) else "a τ² of its own for each subgroup"
        return (
            f"{methods_of_fit(result.overall)} Subgroups were pooled with {common}; differences between them were "
            "tested with Q between subgroups (chi-squared; Borenstein et al. 2009, chapter 19)."
        )
    if is_series(result):
        _, _, doing = _series_words(result)
        return f"{methods_of_fit(_last(result))} The analysis was repeated {doing}."
    raise _unknown(result)


def text(result: Any, *, most_rows: int | None = None) -> str:
    """One row a fit, in fixed-width text."""
    return text_of(table(result))


def html(result: Any) -> str:
    """One row a fit, as an HTML table."""
    return html_of(table(result), sentence(result))


def table(result: Any) -> Table:
    """One row a fit: estimate, interval, studies and heterogeneity."""
    if is_subgroups(result):
        return _subgroup_table(result)
    if is_series(result):
        return _series_table(result)
    raise _unknown(result)


# -- subgroups ---------------------------------------------------------------------------------------------------------


def _subgroup_table(result: Any) -> Table:
    overall = result.overall
    pairs = groups_of(result)
    digits = _digits([fit for _, fit in pairs] + [overall])
    return Table(
        title=f"{MEASURES[overall.effects.measure].name} by subgroup: {how(overall)}",
        header=("Subgroup", "Studies", "Effect", f"{level(overall.interval.level)} CI", "τ²", "I²"),
        rows=tuple(_row(name, fit, digits) for name, fit in pairs),
        strong=(_row("All studies", overall, digits),),
        lines=tuple(line for line in (_between_line(result),) if line),
    )


def _between_line(result: Any) -> str:
    q, df, p = result.q_between, result.q_between_df, result.q_between_p
    if not df or math.isnan(q):
        return ""
    return f"Test for subgroup differences: Q = {number(q, 2)}, df = {df:g}, {p_value(p)}"


def _subgroup_sentence(result: Any, minus: str) -> str:
    overall = result.overall
    pairs = [(name, fit) for name, fit in groups_of(result) if fit is not None and fit.k > 0]
    digits = _digits([fit for _, fit in pairs])
    name = measure_name(overall.effects.measure)
    if not pairs:
        return f"No subgroup had a study with an estimable {name}."
    parts = [f"{_shown(fit, digits, minus)} in {group} ({_studies(fit.k)})" for group, fit in pairs]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    said = f"By subgroup, the {name} was {listed}."
    q, df, p = result.q_between, result.q_between_df, result.q_between_p
    if df and not math.isnan(q):
        said += f" The test for differences between subgroups gave Q = {number(q, 2)} (df = {df:g}, {p_value(p)})."
        if min(fit.k for _, fit in pairs) < 2:
            said += " A subgroup of one study has no heterogeneity of its own."
    return said


def _tau2_common(result: Any) -> bool:
    return bool(getattr(result, "tau2_common", result.overall.conventions.get("tau2_common", False)))


# -- series ------------------------------------------------------------------------------------------------------------


def _series_table(result: Any) -> Table:
    name, before, _ = _series_words(result)
    last = _last(result)
    digits = _digits(result.fits)
    return Table(
        title=f"{name}, {measure_name(last.effects.measure)}: {how(last)}",
        header=(before, "Studies", "Effect", f"{level(last.interval.level)} CI", "τ²", "I²"),
        rows=tuple(_row(str(study), fit, digits) for study, fit in zip(result.study, result.fits, strict=True)),
    )


def _series_sentence(result: Any, minus: str) -> str:
    name, _, doing = _series_words(result)
    fits = [(str(study), fit) for study, fit in zip(result.study, result.fits, strict=True) if _estimable(fit)]
    last = _last(result)
    if not fits:
        return f"{name}: no fit could be estimated."
    digits = _digits([fit for _, fit in fits])
    what = measure_name(last.effects.measure)
    if name == "Cumulative":
        first = fits[0][1]
        if len(fits) == 1:
            return f"{name}: there is one step, where the {what} is {_shown(first, digits, minus)}."
        return (
            f"{name}: {doing}, the {what} went from {_shown(first, digits, minus)} after {_studies(first.k)} to "
            f"{_shown(last, digits, minus)} after {_studies(last.k)}."
        )
    pooled = "pooled " if min(fit.k for _, fit in fits) > 1 else ""  # what is left of two studies is one of them
    low = min(fits, key=lambda pair: pair[1].displayed.estimate)
    high = max(fits, key=lambda pair: pair[1].displayed.estimate)
    return (
        f"{name}: {doing}, the {pooled}{what} lay between {_shown(low[1], digits, minus)} (without {low[0]}) and "
        f"{_shown(high[1], digits, minus)} (without {high[0]})."
    )


def _series_words(result: Any) -> tuple[str, str, str]:
    return SERIES.get(type(result).__name__, ("Series", "Study", "study by study"))


def _last(result: Any) -> Pooled:
    fit = getattr(result, "fit", None)
    found: Pooled = fit if fit is not None else [one for one in result.fits if one is not None][-1]
    return found


# -- both --------------------------------------------------------------------------------------------------------------


def _estimable(fit: Pooled | None) -> bool:
    return fit is not None and fit.k > 0 and not math.isnan(fit.estimate)


def _digits(fits: Any) -> int:
    widths = [fit.displayed.interval for fit in fits if _estimable(fit)]
    return digits_for(max(w.high - w.low, 0.0) for w in widths) if widths else 2


def _shown(fit: Pooled, digits: int, minus: str) -> str:
    shown = fit.displayed
    interval = interval_in_words(fit, shown.interval, digits, minus)
    return f"{in_words(fit, shown.estimate, digits, minus)} ({level(fit.interval.level)} CI {interval})"


def _row(name: str, fit: Pooled | None, digits: int) -> tuple[str, ...]:
    if fit is None or not _estimable(fit):
        return (name, "0" if fit is None else str(fit.k), "not estimable", "", "", "")
    shown = fit.displayed
    random = fit.conventions.get("model") != "common" and not math.isnan(fit.tau2)
    return (
        name,
        str(fit.k),
        number(shown.estimate, digits, ratio=is_ratio(fit)),
        to(shown.interval.low, shown.interval.high, digits, ratio=is_ratio(fit)),
        short(fit.tau2) if random else "",
        "" if math.isnan(fit.i2) else i2_percent(fit.i2),
    )


def _studies(k: int) -> str:
    return "1 study" if k == 1 else f"{k} studies"


def _unknown(result: Any) -> InputError:
    return InputError(f"words are made of pooled results, subgroups and series of fits; got {type(result).__name__}")


__all__ = ["groups_of", "html", "is_series", "is_subgroups", "methods", "sentence", "table", "text"]
