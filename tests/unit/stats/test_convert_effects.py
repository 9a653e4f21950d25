"""Groups, effects, pairs, arms, clusters and scales: round trips and direct algebra."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from balm.stats import convert
from balm.vocabulary.problems import InputError

SD = st.floats(0.01, 1000)
N = st.integers(2, 5000)
RATIO = st.floats(0.05, 20)


@given(sd=SD, n=N, level=st.floats(0.5, 0.999), distribution=st.sampled_from(["t", "normal"]))
@settings(deadline=None, max_examples=50)
def test_interval_of_a_mean_and_back(sd: float, n: int, level: float, distribution: str) -> None:
    tail = (1 + level) / 2
    z = special.ndtri(tail) if distribution == "normal" else special.stdtrit(n - 1, tail)
    half = z * sd / math.sqrt(n)
    found = convert.sd_from_ci(low=-half, high=half, n=n, level=level, distribution=distribution, mean=0)
    assert found.sd == pytest.approx(sd, rel=1e-9)


def test_auto_takes_t_below_sixty() -> None:
    for n, which in ((59, "t"), (60, "normal")):
        auto = convert.se_from_ci(low=1, high=3, n=n)
        assert auto.se == convert.se_from_ci(low=1, high=3, n=n, distribution=which).se
        assert which in auto.assumptions[0]


@given(difference=st.floats(0.01, 100), sd=SD, n_1=N, n_2=N)
@settings(deadline=None, max_examples=50)
def test_every_way_from_a_two_sample_test_to_the_sd(difference: float, sd: float, n_1: int, n_2: int) -> None:
    se = sd * math.sqrt(1 / n_1 + 1 / n_2)
    t, df = difference / se, n_1 + n_2 - 2
    arms = {"n_1": n_1, "n_2": n_2}
    half = special.stdtrit(df, 0.975) * se
    found = [
        convert.sd_from_t(difference=-difference, t=-t, **arms),
        convert.sd_from_f(difference=difference, f=t * t, **arms),
        convert.sd_from_ci_of_difference(low=difference - half, high=difference + half, **arms),
        convert.sd_from_se_of_difference(se=se, **arms),
    ]
    p = 2 * special.stdtr(df, -t)
    if 1e-300 < p < 0.999:
        found.append(convert.sd_from_p(difference=difference, p=p, **arms))
    for one in found:
        assert one.sd == pytest.approx(sd, rel=1e-7), one
        assert not one.bounds


@pytest.mark.parametrize(
    ("p", "bound"),
    [
        ("<0.05", "at most"),
        ("P < 0.05", "at most"),
        ("≤0.05", "at most"),
        (">0.05", "at least"),
        ("p=0.05", None),
        (0.05, None),
    ],
)
def test_p_bounds(p: object, bound: str | None) -> None:
    found = convert.sd_from_p(difference=2, p=p, n_1=20, n_2=20)
    assert found.sd == convert.sd_from_p(difference=2, p=0.05, n_1=20, n_2=20).sd
    assert found.bounds == ({"sd": bound, "se": bound} if bound else {})


def test_wald_prefers_the_interval_and_says_what_looks_odd() -> None:
    both = convert.effect_from_wald(estimate=1.0, low=0.0, high=2.0, statistic=9.0, p=0.9)
    assert both.se == pytest.approx(1 / NormalDist().inv_cdf(0.975), rel=1e-12)
    assert convert.effect_from_wald(low=0.5, high=2.0, scale="log").effect == pytest.approx(0.0, abs=1e-15)
    odd = convert.effect_from_wald(estimate=1.2, low=1.0, high=9.0, scale="log")
    assert "not in the middle" in odd.cautions[0]
    t = convert.effect_from_wald(estimate=2.0, p="<0.01", df=10)
    assert t.bounds == {"variance": "at most", "se": "at most"} and "10 degrees" in t.assumptions[0]
    mixed = convert.effect_from_wald(
        estimate=[1.0, 1.0, 1.0], low=[0.0, None, None], high=[2.0, None, None], p=[None, 0.05, None]
    )
    assert mixed.se[0] == pytest.approx(mixed.se[1], rel=1e-12) and math.isnan(mixed.se[2])


def test_wald_on_proportions_and_correlations() -> None:
    logit = convert.effect_from_wald(estimate=0.2, low=0.1, high=0.36, scale="logit")
    assert logit.effect == pytest.approx(math.log(0.25), rel=1e-14)
    z = convert.effect_from_wald(low=math.tanh(0.1), high=math.tanh(0.9), scale="fisher-z")
    assert z.effect == pytest.approx(0.5, rel=1e-12)


@given(sd_1=SD, sd_2=SD, r=st.floats(-1, 1))
@settings(deadline=None, max_examples=60)
def test_correlation_recovers(sd_1: float, sd_2: float, r: float) -> None:
    d = convert.sd_of_paired_difference(sd_1=sd_1, sd_2=sd_2, r=r)
    back = convert.correlation_from_sds(sd_1=sd_1, sd_2=sd_2, sd_difference=d)
    assert back.r == pytest.approx(r, abs=1e-9 * max(sd_1 / sd_2, sd_2 / sd_1))
    assert d.sd == convert.change_sd(sd_baseline=sd_1, sd_final=sd_2, r=r).sd


def test_perfectly_correlated_equal_spreads_leave_nothing() -> None:
    assert convert.sd_of_paired_difference(sd_1=1e8, sd_2=1e8, r=1).sd == 0
    assert convert.sd_of_paired_difference(sd_1=3, sd_2=3, r=-1).sd == 6


def test_sensitivity_over_correlations() -> None:
    found = convert.paired_over_correlations(sd_1=2.0, sd_2=2.5, n=20, difference=1.0)
    assert list(found.r) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert np.all(np.diff(found.se) < 0)
    one = convert.se_of_paired_difference(sd_1=2.0, sd_2=2.5, n=20, r=0.5)
    assert found.se[5] == one.se
    again = convert.se_of_paired_difference_from_ci(low=found.low[5], high=found.high[5], n=20, difference=1.0)
    assert again.se == pytest.approx(one.se, rel=1e-12)
    assert list(convert.se_of_paired_difference(sd_1=2.0, sd_2=2.5, n=20, r=[0.0, 0.5]).se) == [found.se[0], one.se]


def test_crossover_from_periods_is_least_squares() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(-1, 2, 9), rng.normal(2, 2, 14)  # first - second period, in the two sequences
    found = convert.crossover_from_periods(
        mean_12=first.mean(), sd_12=first.std(ddof=1), n_12=9, mean_21=second.mean(), sd_21=second.std(ddof=1), n_21=14
    )
    design = np.column_stack([np.repeat([1.0, -1.0], [9, 14]), np.ones(23)])
    y = np.concatenate([first, second])
    beta, rest, *_ = np.linalg.lstsq(design, y, rcond=None)
    se = math.sqrt(rest[0] / 21 * np.linalg.inv(design.T @ design)[0, 0])
    assert (found.effect, found.period_effect, found.se, found.df) == pytest.approx((*beta, se, 21), rel=1e-12)


def test_combining_three_arms_in_any_order() -> None:
    groups = [(10, 5.0, 1.0), (20, 6.0, 2.0), (5, 9.0, 1.5)]
    forward, back = (
        convert.combine_means(n=[g[0] for g in order], mean=[g[1] for g in order], sd=[g[2] for g in order])
        for order in (groups, groups[::-1])
    )
    step = convert.combine_means(n=[10, 20], mean=[5.0, 6.0], sd=[1.0, 2.0])
    two = convert.combine_means(n=[step.n, 5], mean=[step.mean, 9.0], sd=[step.sd, 1.5])
    for other in (back, two):
        assert (other.n, other.mean, other.sd) == pytest.approx((forward.n, forward.mean, forward.sd), rel=1e-14)


def test_split_parts_add_up() -> None:
    for whole in (False, True):
        parts = convert.split_control_events(events=10, n=50, into=3, whole=whole)
        assert sum(parts.events) == pytest.approx(10) and sum(parts.n) == pytest.approx(50)
    assert convert.split_control_events(events=10, n=50, into=3, whole=True).events == (4.0, 3.0, 3.0)
    again = convert.combine_means(
        n=list(convert.split_control_means(n=41, mean=2, sd=1, into=2).n), mean=[2, 2], sd=[1, 1]
    )
    assert again.n == 41 and again.mean == 2


@pytest.mark.parametrize("measure", ["MD", "RR", "OR", "RD"])
def test_shared_covariance_is_the_shared_groups_part_of_the_variance(measure: str) -> None:
    a, n1, c, n2 = 8, 40, 12, 50
    if measure == "MD":
        own, shared = 1.5**2 / n1, convert.covariance_of_shared_control(measure="MD", n=n2, sd=2.0)
        whole = 1.5**2 / n1 + 2.0**2 / n2
    else:
        shared = convert.covariance_of_shared_control(measure=measure, n=n2, events=c)
        whole, own = {
            "RR": (1 / a - 1 / n1 + 1 / c - 1 / n2, 1 / a - 1 / n1),
            "OR": (1 / a + 1 / (n1 - a) + 1 / c + 1 / (n2 - c), 1 / a + 1 / (n1 - a)),
            "RD": (a * (n1 - a) / n1**3 + c * (n2 - c) / n2**3, a * (n1 - a) / n1**3),
        }[measure]
    assert float(shared) == pytest.approx(whole - own, rel=1e-12)


def test_shared_covariance_of_smd() -> None:
    found = convert.covariance_of_shared_control(measure="SMD", n=50, d_1=0.4, d_2=0.6, n_total=150)
    assert float(found) == pytest.approx(1 / 50 + 0.4 * 0.6 / 300, rel=1e-14)


def test_clusters() -> None:
    assert convert.design_effect(icc=0, cluster_size=30).value == 1
    assert convert.design_effect(icc=1, cluster_size=30).value == 30
    assert (
        convert.design_effect(icc=0.05, cluster_size=20, cv=0).value
        == convert.design_effect(icc=0.05, cluster_size=20).value
    )
    uneven = convert.design_effect(icc=0.05, cluster_size=20, cv=0.5).value
    assert uneven == pytest.approx(1 + (1.25 * 20 - 1) * 0.05)
    # A mean's SE inflated, or recomputed with the effective n: the same.
    n, sd = 200, 3.0
    small = convert.effective_sample_size(n=n, icc=0.05, cluster_size=20)
    se = convert.se_inflated_for_clustering(se=convert.se_from_sd(sd=sd, n=n), icc=0.05, cluster_size=20)
    assert se.se == pytest.approx(convert.se_from_sd(sd=sd, n=small.only("n")).se, rel=1e-14)
    assert list(convert.design_effect(icc=[0.01, 0.05], cluster_size=21).value) == pytest.approx([1.2, 2.0])


@given(mean=st.floats(0, 100), sd=st.floats(0, 50), flip=st.booleans())
@settings(deadline=None, max_examples=50)
def test_rescaling_there_and_back(mean: float, sd: float, flip: bool) -> None:
    there = convert.rescale(mean=mean, sd=sd, difference=-7.0, from_scale=(0, 100), to_scale=(-5, 15), flip=flip)
    back = convert.rescale(
        mean=there.mean, sd=there.sd, difference=there.difference, from_scale=(-5, 15), to_scale=(0, 100), flip=flip
    )
    assert (back.mean, back.sd, back.difference) == pytest.approx((mean, sd, -7.0), abs=1e-10)
    assert there.mean == pytest.approx(there.offset + there.factor * mean, abs=1e-10)


def test_a_flip_turns_difference_and_mean_but_not_spread() -> None:
    found = convert.rescale(mean=20, sd=5, se=1, difference=3, from_scale=(0, 100), to_scale=(0, 10), flip=True)
    assert (found.mean, found.sd, found.se, found.difference) == (8.0, 0.5, 0.1, -0.3)
    assert (found.factor, found.offset) == (-0.1, 10.0)
    nrs = convert.rescale(mean=5.5, from_scale=(1, 10), to_scale=(0, 100))  # a 1-10 scale does not start at 0
    assert nrs.mean == 50.0
    assert "very small sample" in convert.rescale(sd=6, from_scale=(0, 10), to_scale=(0, 100)).cautions[0]


def test_familiar_scale_and_area_under_the_curve() -> None:
    found = convert.difference_from_smd(smd=[0.5, -0.2], sd=20, se=[0.1, 0.2])
    assert list(found.difference) == [10.0, -4.0] and list(found.se) == pytest.approx([2.0, 4.0])
    assert convert.mean_score_from_auc(auc=[10, 30], duration=10).mean.tolist() == [1.0, 3.0]


@given(d=st.floats(-3, 3), n_1=N, n_2=N)
@settings(deadline=None, max_examples=50)
def test_effect_sizes_and_back(d: float, n_1: int, n_2: int) -> None:
    for distribution in ("logistic", "normal"):
        ln = convert.log_odds_ratio_from_d(d=d, se=0.3, distribution=distribution)
        back = convert.d_from_log_odds_ratio(log_odds_ratio=ln, se=ln, distribution=distribution)
        assert (back.d, back.se) == pytest.approx((d, 0.3), rel=1e-12)
        ratio = convert.odds_ratio_from_d(d=d, distribution=distribution)
        assert convert.d_from_odds_ratio(odds_ratio=ratio, distribution=distribution).d == pytest.approx(d, abs=1e-12)
    r = convert.point_biserial_from_d(d=d, n_1=n_1, n_2=n_2, se=0.2)
    back = convert.d_from_point_biserial(r=r, se=r, n_1=n_1, n_2=n_2)
    assert back.d == pytest.approx(d, rel=1e-7, abs=1e-12)
    assert back.se == pytest.approx(0.2, rel=1e-6)
    assert convert.r_from_fisher_z(z=convert.fisher_z_from_r(r=r.only("r"))).r == pytest.approx(
        r.r, rel=1e-9, abs=1e-15
    )


@given(a=st.integers(1, 39), c=st.integers(1, 59))
@settings(deadline=None, max_examples=100)
def test_tables_come_back_whole(a: int, c: int) -> None:
    n1, n2 = 40, 60
    m, total = a + c, n1 + n2
    b, d = n1 - a, n2 - c
    cells = (a, b, c, d)
    margins = {"n_1": n1, "n_2": n2, "events": m}
    phi = (a * d - b * c) / math.sqrt(n1 * n2 * m * (total - m))
    direction = "more events in arm 1" if a * d >= b * c else "fewer events in arm 1"
    found = [
        convert.table_from_odds_ratio(odds_ratio=a * d / (b * c), **margins),
        convert.table_from_odds_ratio(odds_ratio=a * d / (b * c), n_1=n1, n_2=n2, events_2=c),
        convert.table_from_risk_ratio(risk_ratio=a * n2 / (n1 * c), **margins),
        convert.table_from_risk_ratio(risk_ratio=a * n2 / (n1 * c), n_1=n1, n_2=n2, events_2=c),
        convert.table_from_risk_difference(risk_difference=a / n1 - c / n2, **margins),
        convert.table_from_risk_difference(risk_difference=a / n1 - c / n2, n_1=n1, n_2=n2, events_2=c),
        convert.table_from_phi(phi=phi, **margins),
        convert.table_from_chi_square(chi_square=total * phi**2, favours=direction, **margins),
    ]
    gap = abs(a * d - b * c) - total / 2
    if gap > 0:
        x = total * gap**2 / (n1 * n2 * m * (total - m))
        found.append(convert.table_from_chi_square(chi_square=x, favours=direction, yates=True, **margins))
    for one in found:
        assert (one.events_1, one.no_events_1, one.events_2, one.no_events_2) == cells, one
        assert one.exact_events_1 == pytest.approx(a, abs=1e-7)
        assert not one.cautions


def test_a_rounded_table_says_so() -> None:
    found = convert.table_from_odds_ratio(odds_ratio=1.0, n_1=10, n_2=10, events=5)
    assert found.exact_events_1 == pytest.approx(2.5)
    assert found.events_1 + found.events_2 == 5
    assert "not near a whole number" in found.cautions[0]


@given(c=st.integers(0, 97), decimals=st.integers(0, 3))
@settings(deadline=None, max_examples=60)
def test_the_count_is_among_those_that_print_alike(c: int, decimals: int) -> None:
    found = convert.events_from_percentage(percentage=f"{100 * c / 97:.{decimals}f}", n=97)
    assert c in found.counts
    for other in range(98):
        # What a plain format prints alike must be offered; ties may add one more on either side.
        if f"{100 * other / 97:.{decimals}f}" == f"{100 * c / 97:.{decimals}f}":
            assert other in found.counts
    assert found.unique == (len(found.counts) == 1)


def test_trailing_zeros_count() -> None:
    assert convert.events_from_percentage(percentage=20, n=1000).counts == tuple(range(195, 206))
    for given_as in ({"percentage": "20.0"}, {"percentage": 20.0, "decimals": 1}, {"percentage": "20.0 %"}):
        assert convert.events_from_percentage(**given_as, n=1000).counts == (200,)
    several = convert.events_from_percentage(percentage=["25", "50"], n=[4, 10])
    assert list(several.events) == [1, 5] and several.counts == ((1,), (5,))
    assert convert.events_from_percentage(percentage=0, n=30).events == 0
    assert convert.events_from_percentage(percentage=100, n=30).events == 30


def test_means_of_whole_numbers() -> None:
    # Brown & Heathers 2017: with 28 participants 5.19 is not the mean of whole numbers; 5.18 is (145/28 = 5.179).
    assert convert.mean_is_possible(mean="5.19", n=28).possible is False
    assert convert.mean_is_possible(mean="5.18", n=28).possible is True
    assert convert.mean_is_possible(mean="5.19", n=28, items=4).informative is False


@given(risk=st.floats(0.01, 0.9), ratio=RATIO)
@settings(deadline=None, max_examples=50)
def test_odds_and_risks(risk: float, ratio: float) -> None:
    rr = convert.risk_ratio_from_odds_ratio(odds_ratio=ratio, baseline_risk=risk)
    assert convert.odds_ratio_from_risk_ratio(risk_ratio=rr, baseline_risk=risk).value == pytest.approx(ratio, rel=1e-9)
    by_odds = convert.absolute_risk_from_odds_ratio(odds_ratio=ratio, baseline_risk=risk)
    by_risk = convert.absolute_risk_from_risk_ratio(risk_ratio=rr, baseline_risk=risk)
    by_rd = convert.absolute_risk_from_risk_difference(risk_difference=by_odds.risk_difference, baseline_risk=risk)
    assert by_odds.risk == pytest.approx(by_risk.risk, rel=1e-12) == by_rd.risk


def test_absolute_risk_with_an_interval() -> None:
    found = convert.absolute_risk_from_risk_ratio(risk_ratio=0.8, low=0.5, high=1.25, baseline_risk=0.2)
    assert (found.per_1000, found.per_1000_low, found.per_1000_high) == pytest.approx((-40, -100, 50))
    assert (found.nnt, found.nnt_low, found.nnt_high) == pytest.approx((25, 10, 20))
    assert "through infinity" in found.cautions[0]
    none = convert.absolute_risk_from_risk_ratio(risk_ratio=1, baseline_risk=0.2)
    assert none.nnt == math.inf and none.to_dict()["values"]["nnt"] == "Inf"
    capped = convert.absolute_risk_from_risk_ratio(risk_ratio=2, low=1.1, high=4, baseline_risk=0.4)
    assert capped.risk_high == 1 and "set to 1" in capped.cautions[0]


def test_log_scale_and_back() -> None:
    there = convert.log_mean_sd_from_raw(mean=12, sd=7)
    back = convert.raw_mean_sd_from_log(mean=there, sd=there)
    assert (back.mean, back.sd) == pytest.approx((12, 7), rel=1e-12)


def test_tetrachoric_at_no_association() -> None:
    for method in ("pearson", "digby"):
        assert convert.tetrachoric_from_log_odds_ratio(log_odds_ratio=0, method=method).r == 0
    with pytest.raises(InputError, match="method must be one of"):
        convert.tetrachoric_from_log_odds_ratio(log_odds_ratio=0, method="yule")


#: Peak expiratory flow of 13 children, first and second period: formoterol then salbutamol, and the other way round.
#: Senn (2002) Cross-over Trials in Clinical Research, chapter 3.
FIRST = np.array([(310, 270), (310, 260), (370, 300), (410, 390), (250, 210), (380, 350), (330, 365)], dtype=float)
OTHER = np.array([(370, 385), (310, 400), (380, 410), (290, 320), (260, 340), (90, 220)], dtype=float)


def test_the_asthma_trial_of_senn() -> None:
    periods = [rows[:, 0] - rows[:, 1] for rows in (FIRST, OTHER)]
    sums = [rows.sum(axis=1) for rows in (FIRST, OTHER)]

    def described(rows: list[np.ndarray]) -> dict[str, float]:
        pairs = zip(("12", "21"), rows, strict=True)
        return {f"{what}_{s}": v for s, r in pairs
                for what, v in (("mean", r.mean()), ("sd", r.std(ddof=1)), ("n", len(r)))}  # fmt: skip

    effect = convert.crossover_from_periods(**described(periods))
    assert round(effect.effect, 1) == 46.6  # litres a minute
    carry = convert.crossover_carry_over(**described(sums))
    t = stats.ttest_ind(*sums)
    assert carry.t == pytest.approx(t.statistic, rel=1e-12) and carry.p == pytest.approx(t.pvalue, rel=1e-10)
    assert "do not choose" in carry.cautions[0]


def test_binary_crossover_is_a_logistic_regression_of_the_preferred_period() -> None:
    # Counts and formula of Lui's program for this odds ratio. The model is saturated, so both logits are met exactly:
    # logit(first) = +-effect + period_effect.
    found = convert.crossover_odds_ratio_from_periods(first_12=16, second_12=32, first_21=41, second_21=15)
    assert found.effect + found.period_effect == pytest.approx(math.log(16 / 32))
    assert found.period_effect - found.effect == pytest.approx(math.log(41 / 15))
    assert math.exp(-found.effect) == pytest.approx(math.sqrt(32 * 41 / (16 * 15)))
    # The asthma trial of Senn's book with a good or bad response: nobody preferred salbutamol in the first sequence.
    zero = convert.crossover_odds_ratio_from_periods(first_12=9, second_12=0, first_21=1, second_21=6)
    assert zero.effect == pytest.approx(0.5 * (math.log(9.5 / 0.5) - math.log(1.5 / 6.5))) and zero.cautions


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"first_12": 0, "second_12": 0}, "first_12"),
        ({"second_12": 0, "add": 0}, "give add=0.5"),
        ({"first_21": 1.5}, "first_21"),
    ],
)
def test_binary_crossover_refuses(counts: dict[str, float], words: str) -> None:
    given = {"first_12": 9, "second_12": 3, "first_21": 1, "second_21": 6} | counts
    with pytest.raises(InputError, match=words):
        convert.crossover_odds_ratio_from_periods(**given)
