"""Paired and crossover data: the standard error of a within-person difference, and the correlation behind it."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.critical import said, two_sided
from balm.stats.convert.sources import handbook
from balm.stats.distributions import t_sf
from balm.vocabulary.problems import check_option, refuse

TOPIC = "Paired and crossover trials"
CARRY_OVER = "no carry-over from the first period into the second"
R_ASSUMED = "the correlation between the two measurements is known or borrowed; vary it in a sensitivity analysis"

#: Correlations of the usual sensitivity analysis.
CORRELATIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def sd_of_difference(sd_1: float, sd_2: float, r: float) -> float:
    """√(SD1² + SD2² − 2r·SD1·SD2), written so that nothing cancels as r nears 1."""
    return math.sqrt((sd_1 - sd_2) ** 2 + 2 * (1 - r) * sd_1 * sd_2)


def _df(n: Any, distribution: str) -> float | None:
    check_option("distribution", distribution, ["t", "normal"])
    if distribution == "normal":
        return None
    if n is None:
        refuse("n is needed for the t distribution; give the number of pairs, or distribution='normal'")
    return checks.size("n", n, least=2) - 1


def _pairs(difference: Any) -> float:
    d = checks.number("difference", difference)
    if d == 0:
        refuse(f"difference must not be 0; got {difference!r}: a zero gives no standard error; use the interval")
    return d


@conversion(
    topic=TOPIC,
    formula="SD_diff = √(SD1² + SD2² − 2r·SD1·SD2)",
    source=handbook("23.2.7"),
)
def sd_of_paired_difference(*, sd_1: Number, sd_2: Number, r: Number) -> Found:
    """Standard deviation of within-person differences from the SDs of the two measurements and their correlation.

    ``r``: a number, or an array for a sensitivity analysis.

    >>> round(float(sd_of_paired_difference(sd_1=2.38, sd_2=2.21, r=0.68)), 4)
    1.8426
    """
    a, b = checks.standard_deviation("sd_1", sd_1), checks.standard_deviation("sd_2", sd_2)
    return found(sd=sd_of_difference(a, b, checks.correlation("r", r)), assumes=[R_ASSUMED])


@conversion(
    topic=TOPIC,
    formula="SE = √((SD1² + SD2² − 2r·SD1·SD2) / n)",
    source=handbook("23.2.7"),
)
def se_of_paired_difference(*, sd_1: Number, sd_2: Number, r: Number, n: Number) -> Found:
    """Standard error of the mean within-person difference from the two SDs and their correlation; n is pairs.

    >>> round(float(se_of_paired_difference(sd_1=2.38, sd_2=2.21, r=0.68, n=10)), 3)
    0.583
    """
    a, b = checks.standard_deviation("sd_1", sd_1), checks.standard_deviation("sd_2", sd_2)
    sd = sd_of_difference(a, b, checks.correlation("r", r))
    return found(se=sd / math.sqrt(checks.size("n", n)), assumes=[R_ASSUMED, CARRY_OVER])


@conversion(topic=TOPIC, formula="SE = SD_diff / √n", source=handbook("23.2.7"), increasing=("sd",))
def se_of_paired_difference_from_sd(*, sd: Number, n: Number) -> Found:
    """Standard error of the mean within-person difference from the SD of the differences; n is pairs.

    >>> round(float(se_of_paired_difference_from_sd(sd=2, n=10)), 3)
    0.632
    """
    return found(se=checks.standard_deviation("sd", sd) / math.sqrt(checks.size("n", n)), assumes=[CARRY_OVER])


@conversion(topic=TOPIC, formula="SE = |difference / t|", source=handbook("23.2.7"))
def se_of_paired_difference_from_t(*, difference: Number, t: Number) -> Found:
    """Standard error of the mean within-person difference from a paired t statistic.

    >>> round(float(se_of_paired_difference_from_t(difference=0.5, t=0.86)), 3)
    0.581
    """
    d, t = _pairs(difference), checks.number("t", t)
    if t == 0:
        refuse(f"t must not be 0; got {t!r}: a zero gives no standard error; use the interval")
    return found(se=abs(d / t), assumes=["t comes from a paired test", CARRY_OVER])


@conversion(topic=TOPIC, formula="SE = |difference| / t, with t from P and n − 1", source=handbook("23.2.7"))
def se_of_paired_difference_from_p(
    *, difference: Number, p: Number, n: Number = None, distribution: str = "t"
) -> Found:
    """Standard error of the mean within-person difference from the two-sided P of a paired t test; bounds stay bounds.

    >>> se_of_paired_difference_from_p(difference=0.5, p=">0.05", n=10)
    se_of_paired_difference_from_p: se at least 0.221028
    """
    d, df = _pairs(difference), _df(n, distribution)
    value, sign = checks.p_value(p)
    assumptions = [f"P is two-sided, from a paired test with {said(df)}", CARRY_OVER]
    return found(se=abs(d) / two_sided(value, df), assumes=assumptions, bounds={"se": checks.bound_of_se(sign)})


@conversion(topic=TOPIC, formula="SE = (high − low) / (2 × t or z)", source=handbook("23.2.7"))
def se_of_paired_difference_from_ci(
    *,
    low: Number,
    high: Number,
    n: Number = None,
    level: Number = 0.95,
    distribution: str = "t",
    difference: Number = None,
) -> Found:
    """Standard error of the mean within-person difference from its interval (t with n − 1 degrees of freedom).

    >>> round(float(se_of_paired_difference_from_ci(low=-0.819, high=1.819, n=10)), 3)
    0.583
    """
    df = _df(n, distribution)
    low, high = checks.interval(low, high)
    if difference is not None:
        checks.symmetric("difference", difference, low, high)
    se = (high - low) / (2 * two_sided(1 - checks.coverage(level), df))
    return found(se=se, assumes=[f"the interval was computed with {said(df)}", CARRY_OVER])


@conversion(
    topic=TOPIC,
    formula="r = (SD1² + SD2² − SD_diff²) / (2·SD1·SD2)",
    source=handbook("23.2.7") + "; 6.5.2.8",
)
def correlation_from_sds(*, sd_1: Number, sd_2: Number, sd_difference: Number) -> Found:
    """Correlation of two measurements from their SDs and that of their difference.

    The same formula gives the correlation of baseline and final from the SD of the change. Refused when the three SDs
    fit no correlation between −1 and 1: one of them is then an SE, or of other participants.

    >>> round(float(correlation_from_sds(sd_1=6.4, sd_2=7.1, sd_difference=4.5)), 2)
    0.78
    """
    a, b = checks.positive("sd_1", sd_1), checks.positive("sd_2", sd_2)
    d = checks.standard_deviation("sd_difference", sd_difference)
    r = (a * a + b * b - d * d) / (2 * a * b)
    # Squares of very unequal SDs cancel: rounding alone moves r by their ratio.
    if abs(r) > 1 + 1e-12 * max(a / b, b / a):
        refuse(
            f"sd_difference must lie between |sd_1 − sd_2| = {abs(a - b):g} and sd_1 + sd_2 = {a + b:g}; got {d:g}: "
            f"one of the three may be a standard error, or of other participants"
        )
    return found(r=max(-1.0, min(1.0, r)), assumes=["all three SDs are of the same participants"])


@conversion(
    topic=TOPIC,
    formula="SE(r) = √((SD1² + SD2² − 2r·SD1·SD2) / n) for each r; interval = difference ± t·SE",
    source=handbook("23.2.7"),
    sequences=("r",),
    arrays=False,
)
def paired_over_correlations(
    *,
    sd_1: Number,
    sd_2: Number,
    n: Number,
    difference: Number = None,
    r: Number = CORRELATIONS,
    level: Number = 0.95,
) -> Found:
    """The standard error of a paired difference over a range of correlations: a sensitivity analysis in one call.

    Returns arrays ``r`` and ``se``, and with ``difference`` also ``low`` and ``high`` of its t interval.

    >>> found = paired_over_correlations(sd_1=2.38, sd_2=2.21, n=10, r=[0.0, 0.5, 0.9])
    >>> [round(float(se), 3) for se in found.se]
    [1.027, 0.727, 0.329]
    """
    import numpy as np

    a, b = checks.standard_deviation("sd_1", sd_1), checks.standard_deviation("sd_2", sd_2)
    n = checks.size("n", n, least=2)
    rs = [checks.correlation(f"r[{i}]", v) for i, v in enumerate(r if isinstance(r, list) else [r])]
    se = np.array([sd_of_difference(a, b, v) / math.sqrt(n) for v in rs])
    values: dict[str, Any] = {"r": np.array(rs), "se": se}
    if difference is not None:
        d, t = checks.number("difference", difference), two_sided(1 - checks.coverage(level), n - 1)
        values |= {"low": d - t * se, "high": d + t * se}
    return found(values, assumes=[CARRY_OVER])


@conversion(
    topic=TOPIC,
    formula="SMD = difference / √((SD1² + SD2²)/2); SE = √(1/n + SMD²/(2n)) × √(2(1 − r))",
    source=handbook("23.2.7") + "; Elbourne et al. (2002), Int J Epidemiol 31:140",
)
def crossover_smd(*, difference: Number, sd_1: Number, sd_2: Number, r: Number, n: Number) -> Found:
    """Standardised mean difference of a crossover trial, on the SD of parallel-group trials, with its standard error.

    >>> found = crossover_smd(difference=0.5, sd_1=2.38, sd_2=2.21, r=0.68, n=10)
    >>> round(found.smd, 3), round(found.se, 3)
    (0.218, 0.256)
    """
    a, b = checks.positive("sd_1", sd_1), checks.positive("sd_2", sd_2)
    n, r = checks.size("n", n), checks.correlation("r", r)
    sd = math.sqrt((a * a + b * b) / 2)
    smd = checks.number("difference", difference) / sd
    se = math.sqrt((1 / n + smd * smd / (2 * n)) * 2 * (1 - r))
    return found(smd=smd, se=se, sd=sd, assumes=[R_ASSUMED, CARRY_OVER])


def _of_two_sequences(sd_12: Number, n_12: Number, sd_21: Number, n_21: Number) -> tuple[float, float]:
    """The SE of mean_12 − mean_21 with the SD that both sequences share, and its degrees of freedom."""
    s1, s2 = checks.standard_deviation("sd_12", sd_12), checks.standard_deviation("sd_21", sd_21)
    n1, n2 = checks.size("n_12", n_12), checks.size("n_21", n_21)
    df = n1 + n2 - 2
    if df <= 0:
        refuse(f"n_12 + n_21 must be at least 3; got {n1:g} + {n2:g}")
    return math.sqrt(((n1 - 1) * s1 * s1 + (n2 - 1) * s2 * s2) / df * (1 / n1 + 1 / n2)), df


@conversion(
    topic=TOPIC,
    formula="effect = (d12 − d21)/2; period effect = (d12 + d21)/2; SE = ½√(s²(1/n12 + 1/n21)), s² pooled, "
    "n12 + n21 − 2 df",
    source="Hills & Armitage (1979), Br J Clin Pharmacol 8:7; Senn (2002), Cross-over Trials in Clinical Research, "
    "chapter 3",
)
def crossover_from_periods(
    *, mean_12: Number, sd_12: Number, n_12: Number, mean_21: Number, sd_21: Number, n_21: Number
) -> Found:
    """Treatment effect of a two-period crossover from its two sequences, free of a period effect.

    ``mean_12``, ``sd_12``, ``n_12``: within-person difference first period − second period in the sequence that had
    intervention 1 first; ``_21``: the same difference (first − second period) in the other sequence.

    >>> found = crossover_from_periods(mean_12=-1.5, sd_12=2.0, n_12=12, mean_21=0.9, sd_21=2.0, n_21=12)
    >>> round(found.effect, 3), round(found.period_effect, 3), round(found.se, 3), found.df
    (-1.2, -0.3, 0.408, 22.0)
    """
    a, b = checks.number("mean_12", mean_12), checks.number("mean_21", mean_21)
    se, df = _of_two_sequences(sd_12, n_12, sd_21, n_21)
    assumptions = [CARRY_OVER, "both sequences share one SD of the differences"]
    return found(effect=(a - b) / 2, se=se / 2, df=df, period_effect=(a + b) / 2, assumes=assumptions)


@conversion(
    topic=TOPIC,
    formula="log OR = ½[ln(a/b) − ln(c/d)]; SE = ½√(1/a + 1/b + 1/c + 1/d)",
    source="Gart (1969), Biometrika 56:75 (the model of Mainland and Gart)",
)
def crossover_odds_ratio_from_periods(
    *, first_12: Number, second_12: Number, first_21: Number, second_21: Number, add: Number = 0.5
) -> Found:
    """Conditional log odds ratio of a two-period crossover with a binary outcome, free of a period effect.

    People with the event in one period only, by sequence: ``first_12`` in the first period and ``second_12`` in the
    second, of those who had intervention 1 first; ``first_21`` and ``second_21`` of the others. ``add`` goes to all
    four counts where one is 0. Without the sequences only the measure MPORC is left, and it holds a period effect if
    they are unequal; a marginal odds ratio is MPORM (Becker & Balagtas).

    >>> found = crossover_odds_ratio_from_periods(first_12=16, second_12=32, first_21=41, second_21=15)
    >>> round(found.effect, 3), round(found.se, 3), round(found.period_effect, 3)
    (-0.849, 0.215, 0.156)
    """
    given = {"first_12": first_12, "second_12": second_12, "first_21": first_21, "second_21": second_21}
    cells = [float(checks.count(name, value)) for name, value in given.items()]
    more = checks.not_negative("add", add)
    for name, pair in (("first_12 + second_12", cells[:2]), ("first_21 + second_21", cells[2:])):
        if not sum(pair):
            refuse(f"{name} must be above 0: a sequence without a change between periods says nothing; use MPORC")
    cautions = []
    if min(cells) == 0:
        if more == 0:
            refuse("a count is 0, so the odds ratio has no finite estimate; give add=0.5")
        cells = [c + more for c in cells]
        cautions = [f"a count is 0: {more:g} was added to all four, which shrinks the odds ratio"]
    a, b, c, d = cells
    first, second = math.log(a / b), math.log(c / d)
    se = 0.5 * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assumptions = [CARRY_OVER, "the odds of both treatments and both periods multiply in every person"]
    return found(
        effect=(first - second) / 2,
        se=se,
        period_effect=(first + second) / 2,
        assumes=assumptions,
        cautions=cautions,
    )


@conversion(
    topic=TOPIC,
    formula="t = (mean12 − mean21) / √(s²(1/n12 + 1/n21)) of people's sums over both periods, n12 + n21 − 2 df",
    source="Grizzle (1965), Biometrics 21:467; Hills & Armitage (1979), Br J Clin Pharmacol 8:7; "
    "Freeman (1989), Stat Med 8:1421 for why it must not choose the analysis",
)
def crossover_carry_over(
    *, mean_12: Number, sd_12: Number, n_12: Number, mean_21: Number, sd_21: Number, n_21: Number
) -> Found:
    """The test of carry-over in a two-period crossover: shown, and not used to choose an analysis.

    ``mean``, ``sd``: of each person's sum over both periods, in the sequence with intervention 1 first (``_12``) and in
    the other. It compares people with people and has little power; taking first periods only where it is significant
    makes false positives more frequent, not fewer (Freeman 1989).

    >>> found = crossover_carry_over(mean_12=643.6, sd_12=114.3, n_12=7, mean_21=629.2, sd_21=174.0, n_21=6)
    >>> round(found.t, 2), found.df
    (0.18, 11.0)
    """
    a, b = checks.number("mean_12", mean_12), checks.number("mean_21", mean_21)
    se, df = _of_two_sequences(sd_12, n_12, sd_21, n_21)
    if se == 0:
        refuse("sd_12 and sd_21 are both 0: there is nothing to compare the difference with")
    t = (a - b) / se
    return found(
        difference=a - b,
        se=se,
        t=t,
        df=df,
        p=2.0 * t_sf(abs(t), df),
        assumes=["both sequences share one SD of the sums"],
        cautions=["do not choose between both periods and the first alone by this test"],
    )
