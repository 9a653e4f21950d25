"""A pooled result as a sentence: what was found, how sure, how much studies differ, and what to be careful about.

The words take no side: they name the estimate and its interval and leave "better" and "worse" to those who know the
direction of the outcome.
"""

from __future__ import annotations

import math
import re

from balm.report.choices import METHODS, MODELS, inference_choice, tau2_choice
from balm.report.rounding import digits_for, i2_percent, number, to
from balm.report.study_rows import label
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import level, p_value, short

#: First words that keep their capital in the middle of a sentence: names, and abbreviations.
_NAMES = ("Peto", "Freeman", "Fisher", "Hedges", "Cohen", "Cronbach", "Yule", "Hardy", "Glass", "Cliff", "Pearson")


def sentence(fit: Pooled, *, minus: str = "-") -> str:
    """The result in one to a few sentences, rounded for reading.

    It names the measure, the model, the between-study variance estimator and the interval, gives the prediction
    interval and the heterogeneity where they can be estimated, lists studies that were not pooled, and ends with the
    advice of the fit (guards that acted, few studies).
    """
    said = [_result(fit, minus)]
    if fit.k > 1:
        said += [_heterogeneity(fit, minus), _prediction(fit, minus)]
    if fit.k > 0:
        said += [_beyond(fit, minus), _excluded(fit)]
    # What the advice for one study says is what the sentence itself says.
    said += [_as_sentence(text) for text in fit.advice if fit.k != 1 or not text.startswith("One study")]
    return " ".join(text for text in said if text)


def headline(fit: Pooled, *, minus: str = "-") -> str:
    """The estimate, its interval and P without the method, for an abstract: its section on synthesis names that."""
    return _result(fit, minus, method=False)


#: How a name says that the value is transformed for the analysis; what is shown has been transformed back.
_TRANSFORMED = re.compile(
    r"(?:Fisher's z of (?:an? |the )?|Log |Logit |Probit |Arcsine |Freeman-Tukey |Square root of an? )(.*)"
    r"|(.*), (?:cube root|log)"
)


def measure_name(code: str) -> str:
    """The name of what is shown, as it stands inside a sentence: a logit proportion is shown as a proportion.

    >>> measure_name("RR"), measure_name("PLO"), measure_name("ZCOR"), measure_name("AHW")
    ('risk ratio', 'proportion', 'correlation', "Cronbach's alpha")
    """
    row = MEASURES[code]
    name = row.name
    found = _TRANSFORMED.fullmatch(name)
    if found and not row.scale.name.startswith("identity"):
        name = found[1] or found[2]
    first = name.split()[0]
    keeps = first.startswith(_NAMES) or (len(first) > 1 and first[1:] != first[1:].lower())
    return name if keeps else name[0].lower() + name[1:]


def short_name(code: str) -> str:
    """What stands before a number where there is no room for the name: no code of a transformation.

    >>> short_name("RR"), short_name("PETO"), short_name("PLO"), short_name("relative effect")
    ('RR', 'Peto OR', 'proportion', 'relative effect')
    """
    return "Peto OR" if code == "PETO" else "proportion" if code in PROPORTIONS else code


def is_ratio(fit: Pooled) -> bool:
    """Whether what is shown is a ratio, which can be small but never 0."""
    return shows_ratio(fit.effects.measure)


def shows_ratio(measure: str | None) -> bool:
    """Whether the values of a measure are shown as ratios; of one that we do not know, not.

    >>> shows_ratio("RR"), shows_ratio("MD"), shows_ratio("relative effect")
    (True, False, False)
    """
    return measure in MEASURES and MEASURES[measure].scale.ratio


def has_null(fit: Pooled) -> bool:
    """Whether there is a value of no effect to test against; a proportion or a mean of one group has none."""
    return MEASURES[fit.effects.measure].scale.null is not None


#: From here decimals say nothing beside six figures before the point.
MANY_FIGURES, TOO_MANY_FIGURES = 1e5, 1e8
#: Proportions of one group: a sentence gives them in per cent, a table on their own scale.
PROPORTIONS = frozenset({"PR", "PLN", "PLO", "PRZ", "PAS", "PFT"})


def in_words(fit: Pooled, x: float, digits: int, minus: str = "-") -> str:
    """A displayed value inside a sentence: a proportion in per cent; a ratio, or a rate analysed by its logarithm,
    never as 0."""
    if fit.effects.measure in PROPORTIONS:
        return f"{number(100.0 * x, max(0, digits - 2), minus=minus)}%"
    if MANY_FIGURES <= abs(x) < TOO_MANY_FIGURES:
        digits = 0
    return number(x, digits, ratio=MEASURES[fit.effects.measure].scale.axis == "log", minus=minus)


def interval_in_words(fit: Pooled, interval: Interval, digits: int, minus: str = "-") -> str:
    """A displayed interval inside a sentence: "0.34 to 0.70", "36% to 68%"."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return to(interval.low, interval.high, digits)
    return " to ".join(in_words(fit, end, digits, minus) for end in (interval.low, interval.high))


def result_digits(fit: Pooled) -> int:
    """The decimals of the pooled estimate and all that stands beside it."""
    shown = fit.displayed.interval
    return digits_for([abs(shown.high - shown.low)])


def how(fit: Pooled) -> str:
    """The method in a bracket's worth of words: "random effects, inverse variance, REML, Hartung-Knapp interval"."""
    chosen = fit.conventions
    model = str(chosen.get("model", "random" if fit.method == "inverse-variance" else "common"))
    parts = [MODELS[model].short, METHODS[fit.method].short]
    if model != "common":
        parts.append(tau2_choice(chosen.get("tau2")).short)
    if chosen.get("inference") is not None:
        parts.append(inference_choice(chosen["inference"]).short)
    return ", ".join(part for part in parts if part)


def _result(fit: Pooled, minus: str, *, method: bool = True) -> str:
    name = measure_name(fit.effects.measure)
    if fit.k == 0:
        why = "; ".join(f"{study} ({reason})" for study, reason in fit.excluded)
        return _as_sentence(f"No study could be pooled: {why}" if why else "No study could be pooled")
    if math.isnan(fit.estimate):
        one = f"One study ({label(fit.effects.study, 0)}) could be analysed, and its {name} is not estimable"
        many = f"The pooled {name} of {fit.k} studies is not estimable ({how(fit)})"
        why = _why_not(fit, "estimate")
        return _as_sentence((one if fit.k == 1 else many) + (f": {why}" if why else ""))
    shown, digits = fit.displayed, result_digits(fit)
    interval = interval_in_words(fit, shown.interval, digits, minus)
    numbers = f"{in_words(fit, shown.estimate, digits, minus)} ({level(fit.interval.level)} CI {interval}"
    if fit.k == 1:
        return (
            f"One study ({label(fit.effects.study, 0)}) could be analysed: its {name} was {numbers}); there is "
            "nothing to pool, and neither heterogeneity nor a prediction interval can be estimated from one study."
            + _no_interval(fit)
            + _widened(fit)
        )
    p = f"; {p_value(fit.p)}" if has_null(fit) and not math.isnan(fit.p) else ""
    way = f"; {how(fit)}" if method else ""
    return f"Across {fit.k} studies, the pooled {name} was {numbers}{way}{p}).{_no_interval(fit)}"


def _widened(fit: Pooled) -> str:
    """That the interval of one study is wider than its own by a variance between studies that was set."""
    tau2 = fit.conventions.get("tau2")
    if not isinstance(tau2, (int, float)) or not fit.tau2 > 0 or fit.conventions.get("model") == "common":
        return ""
    return f" Its interval includes the variance between studies that was set, τ² {short(fit.tau2)}."


def _why_not(fit: Pooled, quantity: str) -> str:
    """Why a quantity is not estimable, as it follows these words."""
    return fit.reasons.get(quantity, "").removeprefix("not estimable: ").rstrip(".").replace(": ", "; ")


def _no_interval(fit: Pooled) -> str:
    why = _why_not(fit, "interval")
    return f" The interval is not estimable: {why}." if why and math.isnan(fit.interval.low) else ""


#: What a measure without a transformation can be; a symmetric interval knows no such bounds.
_BOUNDS = {"PR": (0.0, 1.0), "RD": (-1.0, 1.0), "COR": (-1.0, 1.0), "UCOR": (-1.0, 1.0), "PHI": (-1.0, 1.0)}


def _beyond(fit: Pooled, minus: str) -> str:
    """That an interval holds values which the measure cannot take."""
    bounds = _BOUNDS.get(fit.effects.measure)
    if bounds is None:
        return ""
    shown = fit.displayed
    ends = {"interval": shown.interval, "prediction interval": shown.prediction_interval}
    past = [name for name, x in ends.items() if x.low < bounds[0] or x.high > bounds[1]]
    if not past:
        return ""
    low, high = (in_words(fit, x, 2, minus).removesuffix(".00") for x in bounds)
    said = "The " + " and the ".join(past) + (" reaches" if len(past) == 1 else " reach")
    return f"{said} beyond what a {measure_name(fit.effects.measure)} can be ({low} to {high})."


def _heterogeneity(fit: Pooled, minus: str) -> str:
    what = "effects" if has_null(fit) else "results"
    q = f"Q = {number(fit.q, 2)}, df = {fit.q_df}, {p_value(fit.q_p)}" if not math.isnan(fit.q) else ""
    i2 = f"I² {i2_percent(fit.i2)}" if not math.isnan(fit.i2) else ""
    if math.isnan(fit.tau2):
        known = "; ".join(part for part in (i2, q) if part)
        return f"Differences between the studies' {what}: {known}." if known else ""
    figures = "; ".join(part for part in (f"τ² {short(fit.tau2)}", i2, q) if part)
    if fit.conventions.get("model") == "common":
        known = "; ".join(part for part in (i2, q) if part)
        return f"Differences between the studies' {what}: {known}; the model assumes none." if known else ""
    if isinstance(fit.conventions.get("tau2"), (int, float)):
        rest = "; ".join(part for part in (i2, q) if part)
        return f"The variance between the studies, τ², was set to {short(fit.tau2)}, not estimated ({rest})."
    if fit.tau2 == 0:
        return f"No variance between the studies was estimated ({figures}), which does not show that there is none."
    return f"The true {'effects' if has_null(fit) else 'values'} varied between studies ({figures})."


def _prediction(fit: Pooled, minus: str) -> str:
    interval = fit.displayed.prediction_interval
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    what = "effect" if has_null(fit) else measure_name(fit.effects.measure)
    text = (
        f"The {level(interval.level)} prediction interval for the true {what} in a new study is "
        f"{interval_in_words(fit, interval, result_digits(fit), minus)}"
    )
    return f"{text}."


def _excluded(fit: Pooled) -> str:
    if not fit.excluded:
        return ""
    listed = "; ".join(f"{study} ({why})" for study, why in fit.excluded)
    n = len(fit.excluded)
    return _as_sentence(f"{'One study was' if n == 1 else f'{n} studies were'} not pooled: {listed}")


def _as_sentence(text: str) -> str:
    text = spelled(text.strip())
    if not text:
        return ""
    start = text[0].upper() if text[0].isascii() else text[0]
    return start + text[1:] + ("" if text[-1] in ".!?" else ".")


def spelled(text: str) -> str:
    """``text`` with tau2 and I2 as they are printed; names of options (``tau2='DL'``) stay as they are typed.

    >>> spelled("tau2 is 0; I2 rests on it; use tau2='PM'")
    "τ² is 0; I² rests on it; use tau2='PM'"
    """
    return re.sub(r"\btau2\b(?!=)", "τ²", re.sub(r"\bI2\b", "I²", text))
