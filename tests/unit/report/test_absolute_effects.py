"""Absolute effects in words against plain arithmetic at every kind of baseline risk."""

from __future__ import annotations

import math
import re

import pytest

from balm.report.absolute_effects import NOT_AT_THIS_RISK, absolute_effects
from balm.report.summary_of_findings_words import needed_to_treat, plain_language
from balm.review.certainty.body import Body, StudyResult
from balm.review.package import Outcome

#: Cochrane Handbook 15.4.4: the risk with the intervention from the effect and the risk without it.
RISK = {
    "RR": lambda x, p: x * p,
    "OR": lambda x, p: x * p / (1 - p + x * p),
    "PETO": lambda x, p: x * p / (1 - p + x * p),
    "HR": lambda x, p: 1 - (1 - p) ** x,
    "RD": lambda x, p: p + x,
}
EFFECTS = [
    ("RR", 0.63, 0.4, 0.99), ("RR", 0.63, 0.4, 1.2), ("RR", 1.4, 1.1, 1.9), ("OR", 0.5, 0.2, 0.9), ("OR", 2.5, 1.1, 7),
    ("PETO", 0.7, 0.5, 1.1), ("HR", 0.7, 0.5, 1.05), ("HR", 3.0, 1.2, 8.0), ("RD", 0.02, -0.01, 0.05),
]  # fmt: skip


def numbers(text: str) -> list[float]:
    return [float(n) * (-1 if word == "fewer" else 1) for n, word in re.findall(r"([\d.]+)(?: (more|fewer))?", text)]


@pytest.mark.parametrize(("measure", "value", "low", "high"), EFFECTS)
@pytest.mark.parametrize("baseline", [0.0007, 0.004, 0.02, 0.05, 0.3, 0.5])
def test_what_is_printed_is_the_arithmetic(
    measure: str, value: float, low: float, high: float, baseline: float
) -> None:
    found = absolute_effects(measure, value, low, high, baseline)
    exact = [1000 * min(1.0, max(0.0, RISK[measure](x, baseline))) for x in (value, low, high)]
    shown = found.risk.replace("per 1000", "")
    digits = len((re.search(r"\.(\d+)", shown) or ["", ""])[1])
    last = 0.5 * 10**-digits + 1e-9
    assert numbers(shown) == pytest.approx(exact, abs=last)
    assert numbers(found.control.replace("per 1000", "")) == pytest.approx([1000 * baseline], abs=0.5)
    apart = [x - 1000 * baseline for x in exact]
    shown = found.difference.replace("per 1000", "")
    last = 0.5 * 10 ** -len((re.search(r"\.(\d+)", shown) or ["", ""])[1]) + 1e-9
    assert numbers(shown) == pytest.approx(apart, abs=last)
    assert found.rd == pytest.approx(tuple(x / 1000 for x in (apart[1], apart[0], apart[2])), abs=1e-12)
    for said, true in zip(re.findall("more|fewer", shown), apart, strict=True):
        assert said == ("more" if true > 0 else "fewer"), "the word follows the number, not its last place"


def test_few_people_are_counted_in_decimals_and_are_not_little() -> None:
    rare = absolute_effects("RR", 0.63, 0.4, 0.99, 0.0007)
    assert (rare.control, rare.risk) == ("0.70 per 1000", "0.44 per 1000 (0.28 to 0.69)")
    assert rare.difference == "0.26 fewer per 1000 (0.42 fewer to 0.01 fewer)"
    death = Outcome("death", "Death", "harm", "binary", "lower is better")
    for estimate, low, high, said in (
        (-0.259, -0.42, -0.007, "reduces the number of people counted under “Death”: 0.26 fewer per 1000"),
        (-0.259, -40.0, 40.0, "results in little to no difference"),
    ):
        one = StudyResult("A", 100, estimate, low, high, 100)
        body = Body("a", (one,), estimate, low, high, "risk difference per 1000", "per 1000")
        assert said in plain_language(death, "drug", "high", body)


def test_a_difference_stands_alone_where_it_would_leave_no_risk() -> None:
    found = absolute_effects("RD", -0.045, -0.09, 0.0002, 0.018)
    assert found.risk == NOT_AT_THIS_RISK and found.difference == "45 fewer per 1000 (90 fewer to 0 more)"
    assert found.rd == (-0.09, -0.045, 0.0002)
    assert needed_to_treat(*found.rd, more_is_better=False) == "NNTB 23 (NNTB 12 to ∞ to NNTH 5000)"
    beyond = absolute_effects("RR", 4.0, 1.3, 12.0, 0.3)
    assert (beyond.risk, beyond.difference, beyond.rd) == (NOT_AT_THIS_RISK, "–", None)


@pytest.mark.parametrize("measure", ["RR", "OR", "HR"])
def test_an_end_of_zero_or_without_limit_is_no_risk_or_everybody(measure: str) -> None:
    found = absolute_effects(measure, 0.5, 0.0, math.inf, 0.3)
    assert found.risk.endswith("(0 to 1000)") and found.difference.endswith("(300 fewer to 700 more)")
    assert absolute_effects(measure, 0.5, 0.2, 0.9, 1.0).control == "1000 per 1000"


def test_a_number_needed_to_treat_is_not_rounded_up_for_a_last_bit() -> None:
    assert needed_to_treat(0.3002 - 0.3, 0.3002 - 0.3, 0.2, more_is_better=True) == "NNTB 5000 (5 to 5000)"
