"""Claims written at random, with figures that fit or with one planted slip, in the typography of many journals.

The figures are made here from a normal distribution; nothing of the checker is used to make them.
"""

# ruff: noqa: E501 - texts stand as they are printed

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from statistics import NormalDist

import pytest

import balm
from balm.review.claims_in_text.claim import CONSISTENT, INCONSISTENT

NORMAL = NormalDist()
RATIOS = {
    "RR": ("RR", "risk ratio", "relative risk", "Risk ratio (RR)", "pooled RR"),
    "OR": ("OR", "odds ratio", "adjusted odds ratio", "aOR", "Odds Ratio [OR]"),
    "HR": ("HR", "hazard ratio", "adjusted hazard ratio (aHR)", "hazard ratio (HR)"),
    "IRR": ("IRR", "incidence rate ratio", "rate ratio"),
    "ROM": ("ratio of means", "RoM", "geometric mean ratio"),
}
DIFFERENCES = {
    "MD": ("MD", "WMD", "mean difference", "weighted mean difference", "mean difference (MD)"),
    "SMD": ("SMD", "standardised mean difference", "standardized mean difference (SMD)", "Hedges' g"),
    "RD": ("RD", "risk difference"),
}


@dataclass
class Made:
    """A true estimate, its interval and p value, with the measure."""

    measure: str
    estimate: float
    low: float
    high: float
    p: float
    z: float


def made(random: random.Random) -> Made:
    measure = random.choice([*RATIOS, *DIFFERENCES])
    z = random.choice([-1, 1]) * random.uniform(0.15, 4.2)
    error = random.uniform(0.08, 0.45) if measure in RATIOS else random.uniform(0.15, 0.9)
    y = z * error
    half = NORMAL.inv_cdf(0.975) * error
    if measure in RATIOS:
        estimate, low, high = math.exp(y), math.exp(y - half), math.exp(y + half)
    else:
        estimate, low, high = y, y - half, y + half
    return Made(measure, estimate, low, high, 2 * (1 - NORMAL.cdf(abs(z))), z)


def p_text(p: float, random: random.Random, *, exact: bool = False) -> str:
    if p < 0.001 and not exact:
        return random.choice(["<0.001", " < .001", " < 0.001", "<.001"])
    decimals = 4 if p < 0.001 else 3 if p < 0.1 else random.choice([2, 3])
    figure = f"{p:.{decimals}f}"
    if random.random() < 0.4:
        figure = figure.replace("0.", ".", 1)
    return random.choice(["=", " = ", " =", ": "]) + figure


def written(one: Made, p: str, random: random.Random, decimals: int = 2) -> str:
    minus = random.choice(["-", "−", "–", "&minus;"])
    comma = random.random() < 0.12
    raised = not comma and random.random() < 0.1

    def figure(x: float) -> str:
        text = f"{abs(x):.{decimals}f}"
        if comma:
            text = text.replace(".", ",")
        if raised:
            text = text.replace(".", "·")
        return (minus if x < 0 and float(f"{x:.{decimals}f}") != 0 else "") + text

    if comma:
        p = p.replace(".", "0,", 1) if p.strip("<=: ").startswith(".") else p.replace(".", ",")
    space = random.choice(["", " ", "\u2009", "\u00a0"])
    interval = random.choice(["95{s}% CI", "95{s}% CI:", "95{s}% CI,", "95% confidence interval", "95% confidence interval [CI]", "CI 95%", "95%-CI", "95 percent CI", "95% CI ="])  # fmt: skip
    interval = interval.replace("{s}", space)
    negative = one.low < 0
    separators = [" to ", " to\n", "; "] + ([] if comma else [", "])
    if not negative:
        separators += ["-", "–", " – ", "—"]
    separator = random.choice(separators)
    span = f"{figure(one.low)}{separator}{figure(one.high)}"
    name = random.choice((RATIOS | DIFFERENCES)[one.measure])
    link = random.choice([" ", " = ", " of ", ": ", ", ", " was ", "\n"])
    estimate = figure(one.estimate)
    p_name = random.choice(["p", "P", "p-value", "P value", "<i>p</i>", "<em>P</em>"])
    style = random.randrange(6)
    if style == 0:
        return f"{name}{link}{estimate} ({interval} {span}; {p_name}{p})"
    if style == 1:
        return f"{name}{link}{estimate} [{interval} {span}], {p_name}{p}"
    if style == 2:
        return f"({name}{link}{estimate}, {interval} {span}, {p_name}{p})"
    if style == 3 and separator != ", ":
        return f"{name} (95% CI) {estimate} ({span}), {p_name}{p}"
    if style == 4:
        return (
            f"{name}{link}{estimate} ({span}), {p_name}{p}"
            if separator != "; "
            else f"{name}{link}{estimate} [{span}] ({p_name}{p})"
        )
    return f"{name}{link}{estimate}; {interval}, {span}; {p_name}{p}; I2 = 45%"


BEFORE = (
    "In seven trials (n = 211) pain fell at 48 h. The ",
    "Results: At week 4, ketamine versus placebo: ",
    "Sixteen RCTs with 1,080 patients were included; ",
    "Nausea was more frequent with ketamine; ",
    "",
)
AFTER = (" at 4 weeks.", ". No serious adverse events occurred.", " in 12 of 40 patients.", "")


def found_in(text: str) -> tuple[object, ...]:
    claims = [c for c in balm.check_claims(text) if c.kind == "estimate" and c.ci_low is not None]
    assert len(claims) == 1, (text, claims)
    claim = claims[0]
    assert text[claim.start : claim.end] == claim.text
    return claim, claim.verdict


@pytest.mark.parametrize("seed", range(40))
def test_figures_that_fit_are_consistent(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(15):
        one = made(rng)
        text = rng.choice(BEFORE) + written(one, p_text(one.p, rng), rng) + rng.choice(AFTER)
        claim, verdict = found_in(text)
        assert verdict == CONSISTENT, (text, claim)
        assert claim.measure == one.measure, (text, claim)
        for ours, true in ((claim.estimate, one.estimate), (claim.ci_low, one.low), (claim.ci_high, one.high)):
            assert abs(ours - true) <= 0.0051, (text, claim)


def far(one: Made, p: float) -> bool:
    """Whether a p value is too far from the true one for rounding or another test to explain it."""
    z = NORMAL.inv_cdf(1 - min(max(p, 1e-12), 1 - 1e-12) / 2)
    slack = 0.35 + (0.02 / min(abs(math.log(one.high / one.low)) if one.measure in RATIOS else 1, 1)) * 2
    if one.measure not in RATIOS:
        slack += 0.12 * abs(one.z)
    return abs(z - abs(one.z)) > slack


@pytest.mark.parametrize("seed", range(20))
def test_a_planted_p_value_is_found(seed: int) -> None:
    rng = random.Random(1000 + seed)
    planted = 0
    while planted < 12:
        one = made(rng)
        slip = rng.choice(["one-sided", "ten times", "a tenth", "another"])
        p = {
            "one-sided": one.p / 2,
            "ten times": one.p * 10,
            "a tenth": one.p / 10,
            "another": rng.uniform(0.001, 0.9),
        }[slip]
        if not 0.001 < p < 0.99 or not far(one, p) or abs(one.z) > 3.2:
            continue
        planted += 1
        text = rng.choice(BEFORE) + written(one, p_text(p, rng, exact=True), rng) + rng.choice(AFTER)
        claim, verdict = found_in(text)
        assert verdict == INCONSISTENT, (slip, text, claim)


@pytest.mark.parametrize("seed", range(20))
def test_a_planted_interval_is_found(seed: int) -> None:
    rng = random.Random(2000 + seed)
    planted = 0
    while planted < 12:
        one = made(rng)
        width = one.high - one.low
        slip = rng.choice(["above", "below", "shifted"])
        if slip == "above":
            one.low, one.high = one.estimate + 0.1 * width, one.estimate + 1.1 * width
        elif slip == "below" and one.measure not in RATIOS:
            one.low, one.high = one.estimate - 1.1 * width, one.estimate - 0.1 * width
        else:
            one.high = one.estimate + 2.2 * (one.high - one.estimate)
        if one.measure in RATIOS and abs(math.log(one.high / one.low)) < 0.2:
            continue
        planted += 1
        text = rng.choice(BEFORE) + written(one, p_text(one.p, rng), rng) + rng.choice(AFTER)
        claim, verdict = found_in(text)
        shifted = slip == "shifted" or (slip == "below" and one.measure in RATIOS)
        if (
            shifted
            and one.measure in RATIOS
            and math.log(one.high / one.estimate) < 2.1 * math.log(one.estimate / one.low)
        ):
            continue
        assert verdict == INCONSISTENT, (slip, text, claim)


@pytest.mark.parametrize("seed", range(10))
def test_counts_and_percentages(seed: int) -> None:
    rng = random.Random(3000 + seed)
    for _ in range(20):
        total = rng.randint(12, 900)
        part = rng.randint(1, total)
        decimals = rng.choice([0, 1, 1, 2])
        percent = 100 * part / total
        wrong = rng.random() < 0.5
        if wrong:
            percent = (
                percent + rng.choice([-1, 1]) * rng.uniform(1.2, 9) if percent < 90 else percent - rng.uniform(1.2, 9)
            )
            if percent <= 0.1:
                continue
        shown = f"{percent:.{decimals}f}"
        style = rng.randrange(6)
        text = [
            f"Response in {part}/{total} ({shown}%) was seen",
            f"{part} of {total} patients ({shown} %) responded",
            f"Relief in {part} ({shown}%) of {total} patients",
            f"Relief in {shown}% ({part}/{total})",
            f"Relief in {shown}\u2009% ({part} of {total} patients)",
            f"{part} out of the {total} participants ({shown} per cent) had relief",
        ][style]
        claims = [c for c in balm.check_claims(text) if c.kind == "proportion"]
        assert len(claims) == 1, (text, claims)
        claim = claims[0]
        assert (claim.n, claim.total) == (part, total), text
        assert claim.verdict == (INCONSISTENT if wrong else CONSISTENT), (text, claim)


@pytest.mark.parametrize("seed", range(6))
def test_doses_convert(seed: int) -> None:
    rng = random.Random(4000 + seed)
    for _ in range(10):
        rate = rng.choice([0.5, 1, 2, 3, 5, 7.5, 10])
        factor = 1.0 if rng.random() < 0.5 else rng.choice([0.1, 10, 60, 1000])
        shown = f"{rate * 0.06 * factor:.6f}".rstrip("0").rstrip(".")
        micro = rng.choice(["µg", "μg", "mcg", "micrograms"])
        text = f"ketamine {rate:g} {micro}/kg/min ({shown} mg/kg/h)"
        claims = [c for c in balm.check_claims(text) if c.kind == "dose"]
        assert len(claims) == 2, (text, claims)
        assert {c.verdict for c in claims} == {CONSISTENT if factor == 1 else INCONSISTENT}, (text, claims)
