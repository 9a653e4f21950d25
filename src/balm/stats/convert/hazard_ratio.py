"""Hazard ratios from what trials print about survival: log-rank tests, expected events, intervals, curves.

Everything leads to the log hazard ratio with its variance, or to O − E and V, which are the same:
``ln HR = (O − E)/V`` with variance ``1/V``. Group 1 is the intervention; below 1 it has fewer events.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import AT_LEAST, AT_MOST, Found, NotReported, Number, conversion, found
from balm.stats.convert.critical import two_sided
from balm.vocabulary.problems import refuse

TOPIC = "Hazard ratios"

TIERNEY = "Tierney, Stewart, Ghersi, Burdett & Sydes (2007), Trials 8:16"
PARMAR = "Parmar, Torri & Stewart (1998), Stat Med 17:2815"
WILLIAMSON = "Williamson, Tudur Smith, Hutton & Marson (2002), Stat Med 21:3337"


def _log_hazard(o_minus_e: float, v: float) -> dict[str, float]:
    effect = o_minus_e / v
    named = {"o_minus_e": o_minus_e, "v": v, "hazard_ratio": math.exp(effect)}
    return {**named, "effect": effect, "variance": 1.0 / v, "se": 1.0 / math.sqrt(v)}


@conversion(topic=TOPIC, formula="ln HR = (O − E)/V; variance = 1/V", source=TIERNEY)
def log_hazard_ratio_from_o_minus_e(*, o_minus_e: Number, v: Number) -> Found:
    """Log hazard ratio and variance from log-rank observed minus expected events of group 1 and their variance.

    >>> found = log_hazard_ratio_from_o_minus_e(o_minus_e=-20.1, v=120.9)
    >>> round(found.hazard_ratio, 3), round(found.se, 4)
    (0.847, 0.0909)
    """
    return found(_log_hazard(checks.number("o_minus_e", o_minus_e), checks.positive("v", v)))


@conversion(
    topic=TOPIC,
    formula="V = d1·d2/(d1 + d2), or d·n1·n2/(n1 + n2)², or d/4 with equal arms; O − E = ±z·√V; ln HR = (O − E)/V",
    source=TIERNEY,
    optional=("events", "events_1", "events_2", "n_1", "n_2", "statistic", "p"),
)
def log_hazard_ratio_from_log_rank(
    *,
    favours: int,
    p: Number = None,
    statistic: Number = None,
    events: Number = None,
    events_1: Number = None,
    events_2: Number = None,
    n_1: Number = None,
    n_2: Number = None,
    sides: int = 2,
) -> Found:
    """Log hazard ratio, O − E and V from a log-rank test (or Cox model) and the numbers of events.

    ``p``: as printed (bounds stay bounds), two-sided unless ``sides=1``; or ``statistic``, the log-rank chi-squared
    with 1 degree of freedom. ``favours``: the group with fewer events than expected, 1 or 2, which a test does not say.
    Events by arm, or their total with the numbers randomised (``n_1``, ``n_2``), or their total alone for equal arms.

    The trial of neoadjuvant CMV for bladder cancer had 485 deaths and P = 0.075 for a hazard ratio of 0.85
    (0.71 to 1.02):

    >>> found = log_hazard_ratio_from_log_rank(events=485, p=0.075, favours=1)
    >>> round(found.hazard_ratio, 2), round(found.se, 4)
    (0.85, 0.0908)
    """
    if favours not in (1, 2):
        refuse(f"favours must be 1 or 2, the group with fewer events than expected; got {favours!r}")
    if sides not in (1, 2):
        refuse(f"sides must be 1 or 2; got {sides!r}")
    v, assumes = _information(events, events_1, events_2, n_1, n_2)
    sign = ""
    if statistic is not None:
        z = math.sqrt(checks.not_negative("statistic", statistic))
    elif p is None:
        raise NotReported("p or statistic is needed beside the events; got neither")
    else:
        value, sign = checks.p_value(p)
        if sides == 1 and value >= 0.5:
            refuse(f"a one-sided p of 0.5 or more points the other way; got {p!r}: turn favours round, with 1 − p")
        z = two_sided(value * (2 if sides == 1 else 1))
        assumes = [*assumes, "P comes from a log-rank test, or from a Cox model without other covariates"]
    minus = -1.0 if favours == 1 else 1.0
    low = (sign == "<") == (favours == 1)  # P < 0.05: further from 0, which for group 1 is lower
    bounds = dict.fromkeys(("o_minus_e", "hazard_ratio", "effect"), AT_MOST if low else AT_LEAST) if sign else {}
    return found(_log_hazard(minus * z * math.sqrt(v), v), assumes=assumes, bounds=bounds)


def _information(events: Any, events_1: Any, events_2: Any, n_1: Any, n_2: Any) -> tuple[float, list[str]]:
    if events_1 is not None or events_2 is not None:
        if events_1 is None or events_2 is None:
            refuse(f"events_1 and events_2 are both needed; got {events_1!r} and {events_2!r}, or give events in all")
        a, b = checks.positive("events_1", events_1), checks.positive("events_2", events_2)
        if events is not None and checks.number("events", events) != a + b:
            refuse(f"events_1 and events_2 add up to {a + b:g}, but events={events!r}")
        return a * b / (a + b), ["V is approximated from the events by arm"]
    if events is None:
        raise NotReported("events by arm, or events in all, are needed; got none of them")
    d = checks.positive("events", events)
    if n_1 is None and n_2 is None:
        return d / 4.0, ["the arms are of equal size"]
    if n_1 is None or n_2 is None:
        refuse(f"n_1 and n_2 are both needed, or neither for equal arms; got {n_1!r} and {n_2!r}")
    a, b = checks.size("n_1", n_1), checks.size("n_2", n_2)
    if d > a + b:
        refuse(f"events ({d:g}) must not exceed the number of participants ({a + b:g})")
    return d * a * b / (a + b) ** 2, ["V is approximated from the events and the sizes of the arms"]


@conversion(
    topic=TOPIC,
    formula="ln HR = ln[(O1/E1)/(O2/E2)]; variance = 1/E1 + 1/E2; V = 1/variance; O − E = ln HR·V",
    source=PARMAR,
)
def log_hazard_ratio_from_expected(
    *, observed_1: Number, expected_1: Number, observed_2: Number, expected_2: Number
) -> Found:
    """Log hazard ratio from observed and log-rank expected events of both groups.

    Observed and expected have the same total.

    >>> found = log_hazard_ratio_from_expected(observed_1=34, expected_1=40.5, observed_2=49, expected_2=42.5)
    >>> round(found.hazard_ratio, 3), round(found.se, 4)
    (0.728, 0.2196)
    """
    o1, o2 = checks.positive("observed_1", observed_1), checks.positive("observed_2", observed_2)
    e1, e2 = checks.positive("expected_1", expected_1), checks.positive("expected_2", expected_2)
    cautions = []
    if abs(o1 + o2 - e1 - e2) > 0.01 * (o1 + o2):
        cautions = [f"observed ({o1 + o2:g}) and expected ({e1 + e2:g}) events differ in total: check the report"]
    v = 1.0 / (1.0 / e1 + 1.0 / e2)
    return found(_log_hazard(math.log(o1 / e1 * e2 / o2) * v, v), cautions=cautions)


@conversion(
    topic=TOPIC,
    formula="V = (2z/(ln high − ln low))², or (z_P/ln HR)²; O − E = ln HR·V",
    source=TIERNEY,
    optional=("low", "high", "p"),
)
def o_minus_e_from_hazard_ratio(
    *, hazard_ratio: Number, low: Number = None, high: Number = None, p: Number = None, level: Number = 0.95
) -> Found:
    """O − E and V from a printed hazard ratio with its interval, or with its two-sided P value.

    >>> found = o_minus_e_from_hazard_ratio(hazard_ratio=0.85, low=0.71, high=1.02)
    >>> round(found.o_minus_e, 1), round(found.v, 1)
    (-19.0, 117.1)
    """
    log_ratio = math.log(checks.positive("hazard_ratio", hazard_ratio, "give the ratio, not its logarithm"))
    bounds: dict[str, str] = {}
    if low is not None or high is not None:
        if low is None or high is None:
            refuse(f"low and high are both needed; got low={low!r}, high={high!r}: give both ends, or p")
        a, b = checks.interval(checks.positive("low", low), checks.positive("high", high))
        checks.inside("hazard_ratio", math.exp(log_ratio), a, b)
        se = (math.log(b) - math.log(a)) / (2.0 * two_sided(1.0 - checks.coverage(level)))
    elif p is None:
        raise NotReported("an interval (low, high) or p is needed beside the hazard ratio; got neither")
    else:
        if log_ratio == 0.0:
            refuse("hazard_ratio must differ from 1 for p to give a standard error; use the interval")
        value, sign = checks.p_value(p)
        se = abs(log_ratio) / two_sided(value)
        bound = checks.bound_of_se(sign)
        bounds = {"variance": bound, "se": bound, "v": {AT_MOST: AT_LEAST, AT_LEAST: AT_MOST}.get(bound, "")}
        further = {AT_MOST: AT_LEAST, AT_LEAST: AT_MOST}.get(bound, "")
        bounds["o_minus_e"] = further if log_ratio > 0.0 else bound
    return found(_log_hazard(log_ratio / se**2, 1.0 / se**2), bounds=bounds)


@conversion(
    topic=TOPIC,
    formula="in each interval d = n_eff·(S0 − S1)/S0, n_eff = n − c/2; ln HR = ln[(d1/n1)/(d2/n2)], variance "
    "1/d1 − 1/n1 + 1/d2 − 1/n2; pooled by inverse variance",
    source=f"{PARMAR}; {WILLIAMSON}; {TIERNEY}",
    sequences=("time", "survival_1", "survival_2", "at_risk_1", "at_risk_2", "follow_up"),
    arrays=False,
)
def log_hazard_ratio_from_curves(
    *,
    time: Number,
    survival_1: Number,
    survival_2: Number,
    n_1: Number = None,
    n_2: Number = None,
    at_risk_1: Number = None,
    at_risk_2: Number = None,
    follow_up: Number = None,
) -> Found:
    """Log hazard ratio from two survival curves read at the same times.

    ``time``: rising, starting at 0 where both curves are 1; ``survival_1``, ``survival_2``: shares without the event.
    Censoring comes from the numbers at risk printed under the curves (``at_risk_1``, ``at_risk_2``, one a time), or
    else from ``n_1``, ``n_2`` and ``follow_up=(shortest, longest)``: people still at risk after the shortest time leave
    evenly up to the longest; without it nobody left. Those who leave count for half an interval. Choose times so that
    no more than a fifth has the event in an interval; both groups need events in each.

    >>> found = log_hazard_ratio_from_curves(time=[0, 1, 2], survival_1=[1, 0.8, 0.7], survival_2=[1, 0.7, 0.5],
    ...                                      n_1=100, n_2=100)
    >>> round(found.events_1, 6), round(found.events_2, 6), round(found.hazard_ratio, 3)
    (30.0, 50.0, 0.578)
    """
    times = _rising(time)
    curves = [
        _falling(name, value, len(times)) for name, value in (("survival_1", survival_1), ("survival_2", survival_2))
    ]
    printed = (at_risk_1, at_risk_2)
    if (at_risk_1 is None) != (at_risk_2 is None):
        refuse("at_risk_1 and at_risk_2 are both needed, or neither")
    if at_risk_1 is not None:
        if n_1 is not None or n_2 is not None or follow_up is not None:
            refuse("at_risk_1 and at_risk_2 hold the numbers and the censoring: leave out n_1, n_2 and follow_up")
        rows = [
            _from_numbers(f"at_risk_{i + 1}", _list(f"at_risk_{i + 1}", printed[i], len(times)), curves[i])
            for i in (0, 1)
        ]
        assumes = ["censoring is even within each interval, as the numbers at risk tell"]
    else:
        if n_1 is None or n_2 is None:
            raise NotReported("n_1 and n_2, or the numbers at risk (at_risk_1, at_risk_2), are needed; got neither")
        shortest, longest = _follow_up(follow_up, times[-1])
        sizes = (checks.size("n_1", n_1), checks.size("n_2", n_2))
        rows = [_from_follow_up(times, curves[i], sizes[i], shortest, longest) for i in (0, 1)]
        assumes = [
            "nobody was censored before the last time"
            if math.isinf(longest)
            else f"censoring is even between {shortest:g} and {longest:g}, alike in both groups"
        ]
    total = weight = 0.0
    cautions = []
    for (start, end), (d1, r1), (d2, r2) in zip(pairwise(times), *rows, strict=True):
        if d1 == d2 == 0.0:
            cautions.append(f"no events between {start:g} and {end:g}: the interval says nothing")
            continue
        if d1 == 0.0 or d2 == 0.0:
            refuse(f"group {1 if d1 == 0.0 else 2} has no events between {start:g} and {end:g}: join it to another")
        variance = 1.0 / d1 - 1.0 / r1 + 1.0 / d2 - 1.0 / r2
        if not variance > 0.0:
            refuse(f"everybody has the event between {start:g} and {end:g}: read the curves at earlier times")
        total += math.log((d1 / r1) / (d2 / r2)) / variance
        weight += 1.0 / variance
    if weight == 0.0:
        refuse("neither curve falls: there are no events to compare")
    return found(
        {
            **_log_hazard(total, weight),
            "events_1": math.fsum(d for d, _ in rows[0]),
            "events_2": math.fsum(d for d, _ in rows[1]),
        },
        assumes=[*assumes, "hazards are proportional; intervals are short"],
        cautions=cautions,
    )


def _list(name: str, given: Any, k: int) -> list[float]:
    if not isinstance(given, list):
        refuse(f"{name} must be a list with one entry a time; got {given!r}")
    if len(given) != k:
        refuse(f"{name} has {len(given)} entries for {k} times")
    return [checks.not_negative(f"{name}[{i}]", x) for i, x in enumerate(given)]


def _rising(given: Any) -> list[float]:
    if not isinstance(given, list) or len(given) < 2:
        refuse(f"time must be a list of two or more times, the first 0; got {given!r}")
    times = [checks.not_negative(f"time[{i}]", x) for i, x in enumerate(given)]
    if times[0] != 0.0 or any(b <= a for a, b in pairwise(times)):
        refuse(f"time must start at 0 and rise; got {given!r}")
    return times


def _falling(name: str, given: Any, k: int) -> list[float]:
    curve = _list(name, given, k)
    if curve[0] != 1.0 or any(b > a for a, b in pairwise(curve)):
        refuse(f"{name} must start at 1 and never rise (shares, not percentages); got {given!r}")
    if 0.0 in curve[:-1]:
        refuse(f"{name} is 0 before the last time: nobody is left to compare; leave out what follows")
    return curve


def _follow_up(given: Any, last: float) -> tuple[float, float]:
    if given is None:
        return math.inf, math.inf
    if not isinstance(given, list) or len(given) != 2:
        refuse(f"follow_up must be (shortest, longest); got {given!r}")
    shortest, longest = checks.not_negative("follow_up[0]", given[0]), checks.positive("follow_up[1]", given[1])
    if shortest >= longest or longest < last:
        refuse(f"follow_up must rise and reach the last time read ({last:g}); got {given!r}")
    return shortest, longest


def _from_numbers(name: str, at_risk: list[float], curve: list[float]) -> list[tuple[float, float]]:
    """(events, effective number at risk) of each interval: ``d = (n0 + n1)(S0 − S1)/(S0 + S1)``."""
    rows = []
    for i, ((n0, n1), (s0, s1)) in enumerate(zip(pairwise(at_risk), pairwise(curve), strict=True)):
        if n1 > n0 or n0 == 0.0:
            refuse(f"{name} must not rise, nor be 0 before the last time; got {at_risk[: i + 2]}")
        d = (n0 + n1) * (s0 - s1) / (s0 + s1)
        if d > n0 - n1 + 0.5 + 0.005 * n0:  # two decimals of the curve and whole numbers at risk
            refuse(
                f"{name} falls from {n0:g} to {n1:g} where the curve asks for {d:.1f} events: the two do not fit; "
                "check the readings"
            )
        rows.append((d, d * s0 / (s0 - s1) if s0 > s1 else n0))
    return rows


def _from_follow_up(
    times: list[float], curve: list[float], n: float, shortest: float, longest: float
) -> list[tuple[float, float]]:
    rows = []
    for (t0, t1), (s0, s1) in zip(pairwise(times), pairwise(curve), strict=True):
        begin = max(t0, shortest)
        leave = n * (t1 - begin) / (longest - begin) if t1 > begin else 0.0
        at_risk = n - leave / 2.0
        d = at_risk * (s0 - s1) / s0
        rows.append((d, at_risk))
        n = max(n - d - leave, 0.0)
    return rows
