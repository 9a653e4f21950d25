"""Sentences of a summary of findings: effects in numbers, numbers needed to treat, plain language by certainty."""

from __future__ import annotations

import math
from collections.abc import Sequence

from balm.report.rounding import digits_for, number, to
from balm.review.certainty.body import Body
from balm.review.certainty.words import NOT_RATED
from balm.review.contrasts import EffectRow
from balm.review.package import Outcome
from balm.vocabulary.numbers import unit_of

INFINITE = "∞"
#: From here on people per 1000 are counted whole; below, rare events would all read "0 fewer".
WHOLE = 10


def per_thousand_digits(low: float, high: float) -> int:
    """Decimals for people per 1000: none, unless all are few and the interval is narrow.

    >>> per_thousand_digits(-180, -3), per_thousand_digits(-6, 2), per_thousand_digits(-0.42, -0.007)
    (0, 0, 2)
    """
    if not max(abs(low), abs(high)) < WHOLE or not 0 < high - low < WHOLE / 2:
        return 0
    return min(3, math.ceil(math.log10(WHOLE / 2 / (high - low))))


def per_thousand(value: float, digits: int = 0) -> str:
    """A difference in so many of 1000 people.

    >>> per_thousand(325.2), per_thousand(-1), per_thousand(0.1), per_thousand(-0.26, 2)
    ('325 more', '1 fewer', '0 more', '0.26 fewer')
    """
    return f"{abs(value):.{digits}f} {'more' if value > 0 else 'fewer'}"


def difference(low: float, value: float, high: float) -> str:
    """A risk difference per 1000 with its interval.

    >>> difference(-58.8, 100, 871)
    '100 more per 1000 (59 fewer to 871 more)'
    >>> difference(-0.42, -0.259, -0.007)
    '0.26 fewer per 1000 (0.42 fewer to 0.01 fewer)'
    """
    digits = per_thousand_digits(low, high)
    one, two = per_thousand(low, digits), per_thousand(high, digits)
    return f"{per_thousand(value, digits)} per 1000 ({one} to {two})"


def risk(low: float, value: float, high: float) -> str:
    """A risk per 1000 with its interval.

    >>> risk(79, 176.4, 278.3), risk(0.28, 0.441, 0.693)
    ('176 per 1000 (79 to 278)', '0.44 per 1000 (0.28 to 0.69)')
    """
    digits = per_thousand_digits(low, high)
    return f"{value:.{digits}f} per 1000 ({low:.{digits}f} to {high:.{digits}f})"


def points(value: float, digits: int = 2, unit: str = "") -> str:
    """A difference of means, with its unit where it has one.

    >>> points(-2.77), points(0.0), points(-1, 0, "points on 0-10")
    ('2.77 lower', '0.00 higher', '1 point on 0-10 lower')
    """
    size = number(abs(value), digits)
    told = f"{size} {unit_of(size, unit)}" if unit else size
    return f"{told} {'lower' if value < 0 else 'higher'}"


def points_between(body: Body, unit: str = "") -> str:
    """A difference of means with its interval, to as many decimals as the interval can bear.

    >>> points_between(Body("a", (), -1.6, -2.1, -1.1), "points")
    '1.60 points lower (2.10 lower to 1.10 lower)'
    """
    digits = digits_for([body.high - body.low])
    ends = " to ".join(points(end, digits) for end in (body.low, body.high))
    return f"{points(body.estimate, digits, unit)} ({ends})"


def needed_to_treat(low: float, value: float, high: float, *, more_is_better: bool) -> str:
    """The number needed to treat for one more person to benefit (NNTB) or be harmed (NNTH), rounded up.

    ``low``, ``value``, ``high`` : risk difference (intervention - control) and its interval, as proportions. An
    interval that holds no effect runs from one number through infinity to the other (Altman 1998, BMJ 317:1309).

    >>> needed_to_treat(0.1, 0.25, 0.4, more_is_better=True)
    'NNTB 4 (3 to 10)'
    >>> needed_to_treat(-0.059, 0.1, 0.871, more_is_better=False)
    'NNTH 10 (NNTB 17 to ∞ to NNTH 2)'
    >>> needed_to_treat(-0.1, 0.0, 0.1, more_is_better=True)
    'no difference (NNTH 10 to ∞ to NNTB 10)'
    >>> needed_to_treat(0.0, 0.0, 0.009, more_is_better=False)
    'no difference (NNTH 112 to ∞)'
    """
    if not all(map(math.isfinite, (low, value, high))):
        return ""

    def kind(x: float) -> str:
        return "NNTB" if (x > 0) == more_is_better else "NNTH"

    def count(x: float) -> str:
        return INFINITE if x == 0 else str(math.ceil(float(f"{1 / abs(x):.10g}")))  # 5000.0000000006 is 5000

    point = f"{kind(value)} {count(value)}" if value else "no difference"
    if low < 0 < high:
        return f"{point} ({kind(low)} {count(low)} to {INFINITE} to {kind(high)} {count(high)})"
    near, far = sorted((low, high), key=abs)
    if not value:
        return point if not far else f"{point} ({kind(far)} {count(far)} to {INFINITE})"
    return f"{point} ({count(far)} to {count(near)})"


def ratio_in_words(kind: str, value: float, low: float, high: float) -> str:
    """A relative effect with its interval, to as many decimals as the interval can bear; a ratio is never 0.00.

    >>> ratio_in_words("RR", 0.63, 0.4, 0.99), ratio_in_words("RR", 0.63, 0.0000009, 443094.96)
    ('RR 0.63 (0.40 to 0.99)', 'RR 0.63 (<0.000001 to 443094.96)')
    """
    digits = digits_for([high - low])
    return f"{kind} {number(value, digits, ratio=True)} ({to(low, high, digits, ratio=True)})"


_VERBS = {
    "high": ("{0}s", "results in"),
    "moderate": ("probably {0}s", "probably results in"),
    "low": ("may {0}", "may result in"),
}


def counted_alike(rows: Sequence[EffectRow]) -> str:
    """That nobody, or everybody, of single-arm studies was counted: the pooled proportion alone would hide it."""
    if any("events" not in row.values for row in rows):
        return ""
    events, people = (sum(row.values[name] for row in rows) for name in ("events", "n"))
    if 0 < events < people:
        return ""
    if people <= 1:
        return f"The one person studied was {'not ' if events == 0 else ''}counted. "
    said = f"the {people:.0f} people studied"
    return f"None of {said} was counted. " if events == 0 else f"All of {said} were counted. "


def plain_language(
    outcome: Outcome, intervention: str, certainty: str, body: Body, *, counted: str = "", any_effect: bool = False
) -> str:
    """One sentence by certainty and size (Santesso et al. 2020, GRADE guidelines 26).

    An effect within the minimal important difference is "little to no difference", unless a person chose to rate
    whether there is ``any_effect``. Very low certainty gives no direction. ``counted`` says why studies that were found
    give no effect: ``nobody`` or ``everybody`` had an event, ``not estimable``, or ``hidden`` where the plan asks for
    no total. No data have a sentence of their own, and a single-arm proportion is not called an effect.
    """
    name = _quoted(outcome, body)
    if counted:
        return _no_effect(outcome, name, intervention, counted, body)
    if not body.studies and not body.controlled:
        return f"No study of people given {intervention} gives a usable result for {name}."
    if not body.studies:
        return f"No study gives a usable result for {name}, so the effect of {intervention} is not known."
    if not body.controlled:
        return (
            f"Of 1000 people given {intervention}, about {body.estimate:.0f} ({body.low:.0f} to {body.high:.0f}) were "
            f"counted under “{outcome.name}”. Without a control group this is not an effect of {intervention}."
        )
    if certainty == NOT_RATED:
        return f"The certainty about the effect of {intervention} on {name} has not been rated."
    if certainty == "very low":
        return f"The evidence is very uncertain about the effect of {intervention} on {name}."
    verb, result = _VERBS[certainty]
    start = intervention[:1].upper() + intervention[1:]
    if _little(body, any_effect=any_effect):
        return f"{start} {result} little to no difference in {name}{_size(body)}."
    way = "increase" if body.estimate > 0 else "reduce"
    return f"{start} {verb.format(way)} {name}{_size(body)}."


def _no_effect(outcome: Outcome, name: str, intervention: str, counted: str, body: Body) -> str:
    """That studies were found and none gives an effect, and why."""
    n = body.participants
    people = "the people studied" if math.isnan(n) or not n else f"{n:.0f} people"
    if counted == "nobody":
        among = "The one person studied did not have" if n == 1 else f"Nobody among {people} had"
        return f"{among} an event under “{outcome.name}”, so the effect cannot be estimated."
    if counted == "everybody":
        among = "The one person studied" if n == 1 else f"All {people}" if n and not math.isnan(n) else "Everybody"
        return f"{among} had an event under “{outcome.name}”, so the effect cannot be estimated."
    if counted == "hidden":
        return (
            f"The plan asks for no total of these studies, so no overall effect of {intervention} on {name} is given."
        )
    found = "The one study found gives" if body.k == 1 else "The studies found give"
    return f"{found} no effect of {intervention} on {name} that could be estimated."


def _little(body: Body, *, any_effect: bool = False) -> bool:
    nothing = body.estimate == 0
    if body.unit == "per 1000":  # what is printed as nobody
        nothing = float(f"{body.estimate:.{per_thousand_digits(body.low, body.high)}f}") == 0
    within = body.important is not None and abs(body.estimate) < body.important
    return nothing or (within and not any_effect)


#: What a ratio between groups over time is a ratio of.
_OVER_TIME = {"HR": "hazard", "IRR": "rate"}


def _quoted(outcome: Outcome, body: Body) -> str:
    if body.ratio_kind in _OVER_TIME and body.unit != "per 1000":
        return f"the {_OVER_TIME[body.ratio_kind]} of “{outcome.name}”"
    if outcome.kind == "binary" or (body.ratio_kind and body.unit == "per 1000"):
        return f"the number of people counted under “{outcome.name}”"
    head = outcome.name.split(" ", 1)[0]
    return outcome.name if head.isupper() and len(head) > 1 else outcome.name[:1].lower() + outcome.name[1:]


def _size(body: Body) -> str:
    if body.unit == "per 1000":
        return f": {difference(body.low, body.estimate, body.high)}"
    if body.rated_on.endswith("difference"):
        return f": {points_between(body, body.unit)}"
    return "" if body.ratio is None else f": {ratio_in_words(body.named, *body.ratio)}"
