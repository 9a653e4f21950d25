"""A 2×2 table rebuilt from an effect and its margins."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.vocabulary.problems import check_option, refuse

TOPIC = "2×2 tables"
SOURCE = "algebra of the 2×2 table; Di Pietrantonj (2006), Stat Med 25:2299 for the idea"


def _margins(n_1: Any, n_2: Any, events: Any) -> tuple[float, float, float]:
    a, b = checks.size("n_1", n_1), checks.size("n_2", n_2)
    m = checks.number("events", events)
    if not 0 <= m <= a + b:
        refuse(f"events must lie between 0 and n_1 + n_2 = {a + b:g}; got {m:g}: events counts both arms together")
    return a, b, m


def _table(a: float, n_1: float, n_2: float, c: float, what: str) -> Found:
    """The four cells in whole numbers, with the exact solution beside them."""
    slack = 1e-9 * max(1.0, n_1, n_2)
    if not (-slack <= a <= n_1 + slack and -slack <= c <= n_2 + slack):
        refuse(
            f"{what} fits no table with these margins: it would need {a:.4g} events of {n_1:g} in arm 1 and {c:.4g} of "
            f"{n_2:g} in arm 2; check which arm is first and which outcome is counted"
        )
    events_1, events_2 = round(a), round(c)
    if abs(events_1 + events_2 - (a + c)) > 1e-6:  # both cells sat near a half: keep the margin
        events_2 = round(a + c) - events_1
    return found(
        events_1=events_1,
        no_events_1=round(n_1) - events_1,
        events_2=events_2,
        no_events_2=round(n_2) - events_2,
        exact_events_1=a,
        exact_events_2=c,
        assumes=["the effect is unadjusted and from these very participants"],
        cautions=[]
        if abs(a - events_1) < 0.25
        else [f"the solution {a:.3f} is not near a whole number: rounded print, or another table"],
    )


def _one_of(events: Any, events_2: Any) -> None:
    if (events is None) == (events_2 is None):
        refuse("give either events (both arms together) or events_2 (arm 2 alone), not both and not neither")


def _control(n_1: Any, n_2: Any, events_2: Any) -> tuple[float, float, float]:
    a, b, c = checks.size("n_1", n_1), checks.size("n_2", n_2), checks.number("events_2", events_2)
    if not 0 <= c <= b:
        refuse(f"events_2 must lie between 0 and n_2 = {b:g}; got {c:g}")
    return a, b, c


@conversion(
    topic=TOPIC,
    formula="a solves a(n2 − m + a) = OR(n1 − a)(m − a), m events in all; or a/(n1 − a) = OR·c/(n2 − c) from arm 2",
    source=SOURCE,
)
def table_from_odds_ratio(
    *, odds_ratio: Number, n_1: Number, n_2: Number, events: Number = None, events_2: Number = None
) -> Found:
    """The four cells from an odds ratio, both group sizes and the events of both arms together, or of arm 2 alone.

    >>> found = table_from_odds_ratio(odds_ratio=0.391, n_1=123, n_2=139, events=15)
    >>> found.events_1, found.no_events_1, found.events_2, found.no_events_2
    (4, 119, 11, 128)
    """
    _one_of(events, events_2)
    ratio = checks.positive("odds_ratio", odds_ratio, "give the odds ratio, not its log")
    if events is None:
        n1, n2, c = _control(n_1, n_2, events_2)
        return _table(n1 * ratio * c / (n2 - c + ratio * c), n1, n2, c, f"odds ratio {ratio:g}")
    n1, n2, m = _margins(n_1, n_2, events)
    square, linear, constant = 1 - ratio, n2 - m + ratio * (n1 + m), -ratio * n1 * m
    root = math.sqrt(max(0.0, linear * linear - 4 * square * constant))
    a = -2 * constant / (linear + root) if linear > 0 else (root - linear) / (2 * square)
    return _table(a, n1, n2, m - a, f"odds ratio {ratio:g}")


@conversion(
    topic=TOPIC, formula="a = RR·n1·m/(n2 + RR·n1), m events in all; or a = RR·c·n1/n2 from arm 2", source=SOURCE
)
def table_from_risk_ratio(
    *, risk_ratio: Number, n_1: Number, n_2: Number, events: Number = None, events_2: Number = None
) -> Found:
    """The four cells from a risk ratio, both group sizes and the events of both arms together, or of arm 2 alone.

    >>> found = table_from_risk_ratio(risk_ratio=0.5, n_1=100, n_2=100, events=30)
    >>> found.events_1, found.events_2
    (10, 20)
    """
    _one_of(events, events_2)
    ratio = checks.positive("risk_ratio", risk_ratio, "give the risk ratio, not its log")
    if events is None:
        n1, n2, c = _control(n_1, n_2, events_2)
        return _table(ratio * c * n1 / n2, n1, n2, c, f"risk ratio {ratio:g}")
    n1, n2, m = _margins(n_1, n_2, events)
    a = ratio * n1 * m / (n2 + ratio * n1)
    return _table(a, n1, n2, m - a, f"risk ratio {ratio:g}")


@conversion(
    topic=TOPIC,
    formula="a = (RD + m/n2)/(1/n1 + 1/n2), m events in all; or a = n1(RD + c/n2) from arm 2",
    source=SOURCE,
)
def table_from_risk_difference(
    *, risk_difference: Number, n_1: Number, n_2: Number, events: Number = None, events_2: Number = None
) -> Found:
    """The four cells from a risk difference, both group sizes and the events of both arms together, or of arm 2 alone.

    >>> found = table_from_risk_difference(risk_difference=-0.1, n_1=100, n_2=100, events=30)
    >>> found.events_1, found.events_2
    (10, 20)
    """
    _one_of(events, events_2)
    rd = checks.number("risk_difference", risk_difference)
    if abs(rd) > 1:
        refuse(f"risk_difference must lie between -1 and 1; got {risk_difference!r}: divide percentage points by 100")
    if events is None:
        n1, n2, c = _control(n_1, n_2, events_2)
        return _table(n1 * (rd + c / n2), n1, n2, c, f"risk difference {rd:g}")
    n1, n2, m = _margins(n_1, n_2, events)
    a = (rd + m / n2) / (1 / n1 + 1 / n2)
    return _table(a, n1, n2, m - a, f"risk difference {rd:g}")


@conversion(topic=TOPIC, formula="a = (n1·m + φ√(n1·n2·m(N − m)))/N", source=SOURCE)
def table_from_phi(*, phi: Number, n_1: Number, n_2: Number, events: Number) -> Found:
    """The four cells from a phi coefficient (the correlation of arm and event) and the margins.

    >>> found = table_from_phi(phi=-0.1, n_1=123, n_2=139, events=15)
    >>> found.events_1, found.events_2
    (4, 11)
    """
    phi = checks.correlation("phi", phi)
    n1, n2, m = _margins(n_1, n_2, events)
    total = n1 + n2
    a = (n1 * m + phi * math.sqrt(n1 * n2 * m * (total - m))) / total
    return _table(a, n1, n2, m - a, f"phi {phi:g}")


@conversion(
    topic=TOPIC,
    formula="|ad − bc| = √(χ²·n1·n2·m(N − m)/N) (+ N/2 with Yates' correction); a = (n1·m ± |ad − bc|)/N",
    source=SOURCE,
)
def table_from_chi_square(
    *, chi_square: Number, n_1: Number, n_2: Number, events: Number, favours: str, yates: bool = False
) -> Found:
    """The four cells from a chi-square (1 df), the margins and which arm had the higher risk.

    ``favours``: "more events in arm 1" or "fewer events in arm 1", since a chi-square has no direction. ``yates``:
    whether the continuity correction was used.

    >>> found = table_from_chi_square(chi_square=3.92, n_1=100, n_2=100, events=30, favours="fewer events in arm 1")
    >>> found.events_1, found.events_2
    (10, 20)
    """
    x = checks.not_negative("chi_square", chi_square)
    check_option("favours", favours, ["more events in arm 1", "fewer events in arm 1"])
    n1, n2, m = _margins(n_1, n_2, events)
    total = n1 + n2
    gap = math.sqrt(x * n1 * n2 * m * (total - m) / total) + (total / 2 if yates else 0.0)
    a = (n1 * m + (gap if favours.startswith("more") else -gap)) / total
    return _table(a, n1, n2, m - a, f"chi-square {x:g}")
