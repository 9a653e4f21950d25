"""Medians with quartiles, range or both: the three scenarios in which trials report them, and their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from balm.stats.convert import checks
from balm.vocabulary.problems import refuse

#: The scenarios of Wan 2014 and Luo 2018 in words.
SCENARIOS = {
    "S1": "minimum, median, maximum",
    "S2": "q1, median, q3",
    "S3": "minimum, q1, median, q3, maximum",
}


@dataclass(frozen=True, slots=True)
class FiveNumbers:
    """A checked summary; what the scenario does not hold is ``nan``."""

    scenario: str
    minimum: float
    q1: float
    median: float
    q3: float
    maximum: float
    n: float


def five_numbers(minimum: Any, q1: Any, median: Any, q3: Any, maximum: Any, n: Any) -> FiveNumbers:
    """Check the order and tell the scenario. A half-reported range beside full quartiles is refused, not dropped."""
    n = checks.size("n", n, least=2)
    given = {"minimum": minimum, "q1": q1, "median": median, "q3": q3, "maximum": maximum}
    kept = {name: checks.number(name, value) for name, value in given.items() if value is not None or name == "median"}
    has_range, has_quartiles = ("minimum" in kept, "maximum" in kept), ("q1" in kept, "q3" in kept)
    for pair, (low, high) in (("minimum and maximum", has_range), ("q1 and q3", has_quartiles)):
        if low != high:
            refuse(f"{pair} belong together; got only {', '.join(kept)}: give both or neither")
    checks.in_order(kept)
    if not (has_range[0] or has_quartiles[0]):
        refuse("a median alone gives no spread: give q1 and q3, or minimum and maximum, or all four")
    if min(kept.values()) == max(kept.values()):
        refuse(f"median, quartiles and range are all {kept['median']:g}: they give no spread")
    scenario = "S3" if has_range[0] and has_quartiles[0] else "S1" if has_range[0] else "S2"
    return FiveNumbers(scenario, n=n, **{name: kept.get(name, float("nan")) for name in given})
