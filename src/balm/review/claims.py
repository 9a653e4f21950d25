"""Published results and claims, checked: the p value an interval implies, and a percentage from its counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from balm.review.package import Package
from balm.stats import convert
from balm.stats.distributions import norm_ppf, norm_sf
from balm.vocabulary.evidence import Claim, Published, Reported

#: Measures that are ratios: their intervals are symmetric on the log scale.
RATIOS = ("RR", "OR", "HR", "IRR", "ROM", "PETO")
#: Measures of no difference at 0.
DIFFERENCES = ("MD", "SMD", "RD", "ES", "IRD")


@dataclass(frozen=True, slots=True)
class CheckedPublished:
    """A published result with its p value recomputed from its interval.

    ``agrees`` is ``None`` when there is nothing to compare. ``on_scale`` is the estimate and interval on the scale of
    the outcome it maps to (0-100 divided by 10 ...), for drawing beside ours; ``rescaled`` says so.
    """

    published: Published
    p_recomputed: float | None
    se: float | None
    agrees: bool | None
    why: str
    on_scale: tuple[float, float, float] | None = None
    rescaled: str = ""


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with every figure of it that can be recomputed."""

    claim: Claim
    p_recomputed: float | None
    agrees: bool | None
    why: str
    percent_recomputed: float | None = None


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The p value an estimate and its interval imply, and the range that rounding of the printed figures allows."""

    p: float
    se: float
    lowest: float
    highest: float


def p_from_interval(measure: str, estimate: float, low: float, high: float, level: float = 0.95) -> Recomputed | None:
    """Two-sided normal p value of no effect; ``None`` for a measure without one, or an interval without width.

    The standard error is the width of the interval over twice the normal quantile, on the log scale for ratios
    (Altman & Bland 2011, BMJ 343:d2304). The figures are taken as rounded to the most decimals any of them shows.

    >>> round(p_from_interval("MD", -1.05, -1.72, -0.39).p, 4)
    0.002
    >>> p_from_interval("proportion", 69, 53, 84) is None
    True
    """
    if measure in RATIOS:
        if low <= 0 or high <= low:
            return None
    elif measure not in DIFFERENCES or high <= low:
        return None
    half = 0.5 * 10.0 ** -max(_decimals(x) for x in (estimate, low, high))
    z = norm_ppf(0.5 + level / 2)
    y, width = _scaled(measure, estimate), _scaled(measure, high) - _scaled(measure, low)
    se = width / (2 * z)
    ends = [_scaled(measure, estimate - half), _scaled(measure, estimate + half)]
    nearest = 0.0 if min(ends) <= 0 <= max(ends) else min(abs(e) for e in ends)
    widest = _scaled(measure, high + half) - _scaled(measure, low - half)
    narrowest = _scaled(measure, high - half) - _scaled(measure, low + half)
    lowest = 2 * norm_sf(max(abs(e) for e in ends) * 2 * z / narrowest) if narrowest > 0 else 0.0
    return Recomputed(2 * norm_sf(abs(y) / se), se, lowest, 2 * norm_sf(nearest * 2 * z / widest))


def agrees(p: Reported, found: Recomputed) -> bool:
    """Whether a printed p value fits the interval beside it, given that both were rounded."""
    half = 0.5 * 10.0 ** -_printed_decimals(p.text)
    if p.relation in ("<", "<="):
        return found.lowest <= p.value
    if p.relation in (">", ">="):
        return found.highest >= p.value
    top = p.high if p.high is not None else p.value
    return found.lowest <= top + half and found.highest >= p.value - half


def check_published(package: Package) -> tuple[CheckedPublished, ...]:
    """Every published result, with its p value recomputed and its figures on the scale of our outcome."""
    return tuple(_check_published(package, row) for row in package.published)


def _check_published(package: Package, row: Published) -> CheckedPublished:
    if row.estimate is None:
        return CheckedPublished(row, None, None, None, "no pooled figure")
    found = _recompute(row.measure, row.estimate, row.ci_low, row.ci_high, row.level)
    on_scale, how = _on_scale(package, row)
    if found is None:
        return CheckedPublished(row, None, None, None, "no p value follows from these figures", on_scale, how)
    if row.p is None:
        return CheckedPublished(row, found.p, found.se, None, "no p value printed", on_scale, how)
    fits = agrees(row.p, found)
    return CheckedPublished(row, found.p, found.se, fits, _verdict(row, row.p, found, fits), on_scale, how)


def _verdict(row: Published | Claim, p: Reported, found: Recomputed, fits: bool) -> str:
    if fits:
        return "the printed p value fits the interval"
    null = 1.0 if row.measure in RATIOS else 0.0
    inside = row.ci_low is not None and row.ci_high is not None and row.ci_low <= null <= row.ci_high
    side = f"the interval {'includes' if inside else 'excludes'} no effect"
    return f"{side}, so the printed p value ({p}) is not the p value of the effect"


def _on_scale(package: Package, row: Published) -> tuple[tuple[float, float, float] | None, str]:
    if row.estimate is None or row.ci_low is None or row.ci_high is None or row.outcome is None:
        return None, ""
    figures = (row.estimate, row.ci_low, row.ci_high)
    outcome = package.meta.outcome(row.outcome)
    if row.measure != "MD":
        return (figures, "") if row.measure in (*RATIOS, "RD") else (None, "")
    if row.scale is None or outcome.scale is None:
        return None, ""
    if row.scale == outcome.scale:
        return figures, ""
    here, there = package.meta.scale(row.scale), package.meta.scale(outcome.scale)
    ends: dict[str, Any] = {"from_scale": [here.low, here.high], "to_scale": [there.low, there.high]}
    moved = sorted(float(convert.rescale(difference=x, **ends).values["difference"]) for x in figures)
    how = f"moved from {here.low:g}-{here.high:g} to {there.low:g}-{there.high:g}"
    return (moved[1], moved[0], moved[2]), how


def check_claims(package: Package) -> tuple[CheckedClaim, ...]:
    """Every claim, with its p value and its percentage recomputed."""
    return tuple(_check_claim(claim) for claim in package.claims)


def _check_claim(claim: Claim) -> CheckedClaim:
    percent = None
    if claim.events is not None and claim.n is not None:
        percent = 100.0 * claim.events / claim.n
    found = None
    if claim.estimate is not None:
        found = _recompute(claim.measure, claim.estimate, claim.ci_low, claim.ci_high, claim.level)
    if found is not None and claim.p is not None:
        fits = agrees(claim.p, found)
        return CheckedClaim(claim, found.p, fits, _verdict(claim, claim.p, found, fits), percent)
    if percent is not None and claim.percent is not None:
        half = 0.5 * 10.0 ** -_decimals(claim.percent)
        fits = abs(percent - claim.percent) <= half * (1 + 1e-9)
        return CheckedClaim(claim, None, fits, f"{claim.events}/{claim.n} = {percent:.1f}%", percent)
    return CheckedClaim(claim, found.p if found else None, None, "no figure that can be recomputed", percent)


def _recompute(
    measure: str | None, estimate: float, low: float | None, high: float | None, level: float | None
) -> Recomputed | None:
    if measure is None or low is None or high is None:
        return None
    return p_from_interval(measure, estimate, low, high, level or 0.95)


def _scaled(measure: str, x: float) -> float:
    if measure in RATIOS:
        return math.log(x) if x > 0 else -math.inf
    return x


def _decimals(x: float) -> int:
    text = repr(float(x))
    if "e" in text:
        return max(0, -int(text.split("e")[1]))
    return 0 if text.endswith(".0") else len(text.split(".")[1])


def _printed_decimals(text: str) -> int:
    digits = text.lstrip("<>=~ ").split("-")[0].strip()
    return len(digits.split(".")[1]) if "." in digits else 0
