# ruff: noqa: E501  (sentences of the report stand whole)
"""The words of the audit report: methods, sources and numbers as a person reads them."""

from __future__ import annotations

from typing import Any

from balm.vocabulary.numbers import fixed

HELD_BACK = "held back"


def count(n: int | None) -> str:
    """A count, or that it is held back: whether for being small or for another's sake is not told.

    >>> count(None), count(0), count(12)
    ('held back', '0', '12')
    """
    return HELD_BACK if n is None else str(n)


def share(s: dict[str, Any]) -> str:
    """Per cent with its interval.

    >>> share({"x": 23, "n": 45, "share": 23 / 45, "low": 0.3697, "high": 0.6504, "held_back": False})
    '51.1% (37.0 to 65.0)'
    """
    if s["held_back"]:
        return HELD_BACK
    if s["share"] is None:
        return "nobody"
    return f"{per_cent(s['share'])}% ({per_cent(s['low'])} to {per_cent(s['high'])})"


def of(s: dict[str, Any]) -> str:
    """x of n."""
    if s["n"] is None or s["x"] is None:
        return HELD_BACK
    return f"{s['x']}/{s['n']}"


def per_cent(x: float) -> str:
    """A share as per cent with one decimal."""
    return fixed(100 * x, 1)


def estimate(e: dict[str, Any] | None, digits: int = 1) -> str:
    """An estimate with its interval."""
    if e is None or e["estimate"] is None:
        return "not estimated"
    return f"{fixed(e['estimate'], digits)} ({fixed(e['low'], digits)} to {fixed(e['high'], digits)})"


def p_value(p: float | None) -> str:
    """A p value: two decimals, three below 0.1, "<0.001" below that."""
    if p is None:
        return "not tested"
    if p < 0.001:
        return "<0.001"
    return fixed(p, 3 if p < 0.1 else 2)


def held_back_words(v: dict[str, Any]) -> str:
    """How many counts are held back, and by which rule; empty where none is."""
    if not v["counts_held_back"]:
        return ""
    return (
        f"{v['counts_held_back']} of the {v['counts']} counts of people in this report are held back, with what is computed "
        f"from them. The rule: a count from 1 to {v['small_cells'] - 1} is not printed, nor as few others as keep anybody from "
        "working it out by adding and subtracting. Zeros are printed, and so is how many were not followed, not asked or not "
        "recorded. Where half-years are too small, years are shown."
    )


def methods(v: dict[str, Any]) -> list[str]:
    """What was done, and where it comes from."""
    pain = v["pain"]
    structure = {
        "unstructured": "an unstructured covariance over the visits",
        "compound-symmetry": "a compound-symmetry covariance over the visits",
        "": "no model",
    }[pain["structure"]]
    held = (
        f"Counts of people from 1 to {v['small_cells'] - 1} are held back, with every percentage, and with as few other counts "
        "as keep them from being worked out by adding and subtracting the numbers of this report; zeros are printed, and so are "
        "the numbers of those of whom nothing is known (not due, not followed, not asked): missing follow-up is a number. "
        "Whether a number is held back because it is small or for another's sake is not told."
        if v["small_cells"] > 1
        else "No small numbers are held back: this report is not for publication."
    )
    return [
        "The unit is a person with the first course begun. Day 0 is the day of the last treatment session. Definitions, "
        "visits and windows were set in registry.toml; answers outside their window count nowhere "
        f"({v['outside_window']} here), nor do answers after the next course began.",
        "Responders are given over all treated whose visit is due, where whoever has no answer counts as no responder, and "
        "over those assessed. Intervals: Wilson (Newcombe, Stat Med 1998;17:857-72). Pain types are compared by the "
        "Fisher-Freeman-Halton exact test (Biometrika 1951;38:141-9); people whose pain is not classified are left out of it.",
        f"Pain over time: a mixed model for repeated measures with a mean for each visit and {structure}, fitted by REML, "
        "with the standard errors and degrees of freedom of Kenward and Roger (Biometrics 1997;53:983-97). It takes missing "
        "answers to depend on answers that were given (missing at random); if people stay away because of pain nobody "
        f"recorded, the means are too good. {pain['note']}".strip(),
        "Duration of relief: Kaplan-Meier (1958), with log-log intervals, from the last treatment session to the next "
        f"course, the stop for lack of effect, or the first answer with pain less than "
        f"{v['relief']['relief_percent']:g}% below baseline; others are followed to their last answer. A loss of effect "
        "is dated by the visit that noticed it. The curve ends where too few are followed."
        if v["relief"]
        else "Duration of relief could not be worked out.",
        "Adverse events: people by their worst event, over those asked at least once or with an event on record, with exact "
        "intervals (Clopper and Pearson, Biometrika 1934;26:404-13). Who was not asked is no denominator.",
        "Sites: exact binomial limits around the share of all sites (Spiegelhalter, Stat Med 2005;24:1185-202). Over time: "
        "p chart and individuals chart with limits at three standard deviations; rules: "
        + "; ".join(f"({i}) {rule}" for i, rule in enumerate(v["over_time"]["rules"], start=1))
        + ".",
        held,
        "Reported along the STROBE statement (von Elm et al., PLoS Med 2007;4:e296), items 13 to 16.",
    ]
