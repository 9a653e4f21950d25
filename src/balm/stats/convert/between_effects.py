"""From one family of effect sizes to another: standardised mean differences, odds ratios, correlations."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.sources import BORENSTEIN_7, handbook
from balm.stats.distributions import norm_pdf, norm_ppf
from balm.vocabulary.problems import check_option, refuse

TOPIC = "Between effect sizes"

#: Log odds ratio a unit of d: logistic data (Chinn 2000; Hasselblad & Hedges 1995) or Cox's normal approximation.
LOG_ODDS_PER_D = {"logistic": math.pi / math.sqrt(3), "normal": 1.65}
UNDERLYING = "the event is a continuous outcome cut at a threshold, with equal spread in both groups"
SOURCE_OR = handbook("10.6") + "; Chinn (2000), Stat Med 19:3127; normal: Cox & Snell (1989), Analysis of Binary Data"


def _scaled(name: str, value: Any, se: Any, factor: float, into: str, **notes: Any) -> Found:
    values = {into: checks.number(name, value) * factor}
    if se is not None:
        values["se"] = checks.positive("se", se) * factor
    return found(values, **notes)


@conversion(topic=TOPIC, formula="ln OR = d·π/√3 (logistic) or 1.65·d (normal); SE likewise", source=SOURCE_OR)
def log_odds_ratio_from_d(*, d: Number, se: Number = None, distribution: str = "logistic") -> Found:
    """Log odds ratio from a standardised mean difference, with its standard error when given.

    >>> round(float(log_odds_ratio_from_d(d=0.5)), 4)
    0.9069
    """
    check_option("distribution", distribution, list(LOG_ODDS_PER_D))
    return _scaled("d", d, se, LOG_ODDS_PER_D[distribution], "log_odds_ratio", assumes=[UNDERLYING])


@conversion(topic=TOPIC, formula="d = ln OR·√3/π (logistic) or ln OR/1.65 (normal); SE likewise", source=SOURCE_OR)
def d_from_log_odds_ratio(*, log_odds_ratio: Number, se: Number = None, distribution: str = "logistic") -> Found:
    """Standardised mean difference from a log odds ratio, with its standard error when given.

    >>> round(float(d_from_log_odds_ratio(log_odds_ratio=0.9069)), 4)
    0.5
    """
    check_option("distribution", distribution, list(LOG_ODDS_PER_D))
    return _scaled("log_odds_ratio", log_odds_ratio, se, 1 / LOG_ODDS_PER_D[distribution], "d", assumes=[UNDERLYING])


@conversion(topic=TOPIC, formula="d = ln OR·√3/π", source=SOURCE_OR)
def d_from_odds_ratio(*, odds_ratio: Number, distribution: str = "logistic") -> Found:
    """Standardised mean difference from an odds ratio as printed.

    >>> round(float(d_from_odds_ratio(odds_ratio=2.4765)), 3)
    0.5
    """
    check_option("distribution", distribution, list(LOG_ODDS_PER_D))
    ratio = checks.positive("odds_ratio", odds_ratio, "give the odds ratio, not its log")
    return found(d=math.log(ratio) / LOG_ODDS_PER_D[distribution], assumes=[UNDERLYING])


@conversion(topic=TOPIC, formula="OR = exp(d·π/√3)", source=SOURCE_OR)
def odds_ratio_from_d(*, d: Number, distribution: str = "logistic") -> Found:
    """Odds ratio from a standardised mean difference.

    >>> round(float(odds_ratio_from_d(d=0.5)), 4)
    2.4766
    """
    check_option("distribution", distribution, list(LOG_ODDS_PER_D))
    return found(odds_ratio=math.exp(checks.number("d", d) * LOG_ODDS_PER_D[distribution]), assumes=[UNDERLYING])


def _a(n_1: Any, n_2: Any) -> float:
    """(n1 + n2)²/(n1·n2): 4 for equal groups."""
    if n_1 is None and n_2 is None:
        return 4.0
    if n_1 is None or n_2 is None:
        refuse("n_1 and n_2 belong together; give both, or neither for equal groups")
    a, b = checks.size("n_1", n_1), checks.size("n_2", n_2)
    return (a + b) ** 2 / (a * b)


@conversion(
    topic=TOPIC, formula="r = d/√(d² + a), a = (n1 + n2)²/(n1·n2); SE = a·SE_d/(d² + a)^1.5", source=BORENSTEIN_7
)
def point_biserial_from_d(*, d: Number, n_1: Number = None, n_2: Number = None, se: Number = None) -> Found:
    """Correlation of group and outcome from a standardised mean difference; equal groups unless sizes are given.

    >>> round(float(point_biserial_from_d(d=0.5)), 4)
    0.2425
    """
    d, a = checks.number("d", d), _a(n_1, n_2)
    values = {"r": d / math.sqrt(d * d + a)}
    if se is not None:
        values["se"] = a * checks.positive("se", se) / (d * d + a) ** 1.5
    return found(values)


@conversion(
    topic=TOPIC, formula="d = √a·r/√(1 − r²), a = 4 for equal groups; SE = √a·SE_r/(1 − r²)^1.5", source=BORENSTEIN_7
)
def d_from_point_biserial(*, r: Number, n_1: Number = None, n_2: Number = None, se: Number = None) -> Found:
    """Standardised mean difference from the correlation of group and outcome.

    >>> round(float(d_from_point_biserial(r=0.2425)), 3)
    0.5
    """
    r, a = checks.open_correlation("r", r), _a(n_1, n_2)
    values = {"d": math.sqrt(a) * r / math.sqrt(1 - r * r)}
    if se is not None:
        values["se"] = math.sqrt(a) * checks.positive("se", se) / (1 - r * r) ** 1.5
    return found(values)


def _biserial_factor(share: Any) -> float:
    """√(pq)/φ(z): biserial over point-biserial when a share p of people falls on one side of the cut."""
    p = checks.open_share("share", share)
    return math.sqrt(p * (1 - p)) / norm_pdf(norm_ppf(p))


@conversion(
    topic=TOPIC, formula="r_bis = r_pb·√(pq)/φ(Φ⁻¹(p))", source="Jacobs & Viechtbauer (2017), Res Synth Methods 8:161"
)
def biserial_from_point_biserial(*, r: Number, share: Number = 0.5) -> Found:
    """Correlation with the continuous variable behind a dichotomy, from that with the dichotomy.

    ``share``: the proportion of people in one of the two groups. May exceed 1 in size when the data are not normal.

    >>> round(float(biserial_from_point_biserial(r=0.45)), 4)
    0.564
    """
    factor = _biserial_factor(share)
    return found(r=checks.correlation("r", r) * factor, assumes=["a normal variable was cut in two"])


@conversion(
    topic=TOPIC, formula="r_pb = r·φ(Φ⁻¹(p))/√(pq)", source="Jacobs & Viechtbauer (2017), Res Synth Methods 8:161"
)
def point_biserial_from_r(*, r: Number, share: Number = 0.5) -> Found:
    """What a correlation becomes when one of its variables is cut in two.

    >>> round(float(point_biserial_from_r(r=0.45)), 4)
    0.359
    """
    factor = _biserial_factor(share)
    return found(r=checks.correlation("r", r) / factor, assumes=["a normal variable was cut in two"])


@conversion(topic=TOPIC, formula="r_pb = r·φ(Φ⁻¹(p))/√(pq); d = √a·r_pb/√(1 − r_pb²), a = 1/(pq)", source=BORENSTEIN_7)
def d_from_r(*, r: Number, share: Number = 0.5) -> Found:
    """Standardised mean difference between the halves (or parts) of a correlated normal variable cut in two.

    >>> round(float(d_from_r(r=0.45)), 4)
    0.7694
    """
    p = checks.open_share("share", share)
    r_pb = checks.correlation("r", r) / _biserial_factor(p)
    assumptions = ["both variables are normal and one was cut in two"]
    return found(d=r_pb / math.sqrt(p * (1 - p) * (1 - r_pb * r_pb)), assumes=assumptions)


@conversion(
    topic=TOPIC,
    formula="r_bis = d/√(d² + 1/(pq))·√(pq)/φ(Φ⁻¹(p))",
    source="Jacobs & Viechtbauer (2017), Res Synth Methods 8:161",
)
def biserial_from_d(*, d: Number, share: Number = 0.5) -> Found:
    """Correlation of two continuous variables from the standardised mean difference after one was cut in two.

    >>> round(float(biserial_from_d(d=1.0)), 4)
    0.5605
    """
    d, p = checks.number("d", d), checks.open_share("share", share)
    r_pb = d / math.sqrt(d * d + 1 / (p * (1 - p)))
    return found(r=r_pb * _biserial_factor(p), assumes=["a normal variable was cut in two"])


@conversion(topic=TOPIC, formula="z = atanh(r); SE = 1/√(n − 3)", source=BORENSTEIN_7.replace("chapter 7", "chapter 6"))
def fisher_z_from_r(*, r: Number, n: Number = None) -> Found:
    """Fisher's z from a correlation, with its standard error when n is given.

    >>> found = fisher_z_from_r(r=0.5, n=28)
    >>> round(found.z, 4), found.se
    (0.5493, 0.2)
    """
    values = {"z": math.atanh(checks.open_correlation("r", r))}
    if n is not None:
        values["se"] = 1 / math.sqrt(checks.size("n", n, least=4) - 3)
    return found(values)


@conversion(topic=TOPIC, formula="r = tanh(z)", source=BORENSTEIN_7.replace("chapter 7", "chapter 6"))
def r_from_fisher_z(*, z: Number) -> Found:
    """Correlation from Fisher's z.

    >>> round(float(r_from_fisher_z(z=0.5493)), 4)
    0.5
    """
    return found(r=math.tanh(checks.number("z", z)))


@conversion(
    topic=TOPIC,
    formula="pearson: r = cos(π/(1 + √OR)); digby: r = (OR^¾ − 1)/(OR^¾ + 1)",
    source="Pearson (1900), Phil Trans A 195:1; Digby (1983), Biometrics 39:753",
)
def tetrachoric_from_log_odds_ratio(*, log_odds_ratio: Number, method: str = "pearson") -> Found:
    """Correlation of the two normal variables behind a 2×2 table, approximated from its log odds ratio.

    >>> round(float(tetrachoric_from_log_odds_ratio(log_odds_ratio=1.0)), 4)
    0.3753
    """
    check_option("method", method, ["pearson", "digby"])
    x = checks.number("log_odds_ratio", log_odds_ratio)
    # Written with tanh so that a log odds ratio of 0 gives exactly 0.
    r = math.sin(math.pi / 2 * math.tanh(x / 4)) if method == "pearson" else math.tanh(0.375 * x)
    return found(r=r, assumes=["two normal variables were each cut in two, near their middle"])
