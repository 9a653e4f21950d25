"""The Cochrane Handbook's own worked conversions: chapter 6 (continuous data), 15 (absolute effects), 23 (variants).

Each number is as printed there, so it is compared at the printed number of digits.

Analysis: Cochrane Handbook, worked conversions
Where: chapters 6, 15 and 23; the section stands above each test
Compared: standard errors and deviations, combined arms, changes, absolute effects, design effects
Figures: those of the Handbook, with its digits
Page: reference/convert.md
"""

from __future__ import annotations

import pytest

from balm.stats import convert


def printed(value: object, shown: str) -> bool:
    """Whether a value rounds to what the Handbook prints."""
    decimals = len(shown.partition(".")[2])
    return f"{float(value):.{decimals}f}" == shown  # type: ignore[arg-type]


# Section 6.3.1: a risk difference of 0.03 with P = 0.008 has z = 2.652 and a standard error of 0.011.
def test_standard_error_from_a_p_value_of_an_absolute_difference() -> None:
    found = convert.effect_from_wald(estimate=0.03, p=0.008)
    assert printed(found.se, "0.011")
    assert printed(0.03 / found.se, "2.652")


# Section 6.5.2.2: the interval of a mean is 3.92 standard errors wide, and 4.128 with 25 participants.
def test_divisor_of_a_confidence_interval_of_a_mean() -> None:
    assert printed(1 / convert.se_from_ci(low=0, high=1, n=100).se, "3.92")
    assert printed(1 / convert.se_from_ci(low=0, high=1, n=25).se, "4.128")
    assert printed(1 / convert.se_from_ci(low=0, high=1, n=100, level=0.90).se, "3.29")
    assert printed(1 / convert.se_from_ci(low=0, high=1, n=100, level=0.99).se, "5.15")


# Section 6.5.2.3: mean difference 3.8, P = 0.008 in groups of 25 and 22: t = 2.78, SE = 1.37, SD = 4.69.
def test_standard_deviation_from_a_p_value() -> None:
    se = convert.se_of_difference_from_p(difference=3.8, p=0.008, n_1=25, n_2=22)
    assert printed(3.8 / float(se), "2.78")
    assert printed(se, "1.37")
    # The Handbook goes on from the rounded 1.37; in full the SD is 4.683.
    assert printed(convert.sd_from_se_of_difference(se=1.37, n_1=25, n_2=22), "4.69")
    assert printed(convert.sd_from_se_of_difference(se=se, n_1=25, n_2=22), "4.683")


# Section 6.5.2.8, table 6.5.b: baseline SD 6.4 and 7.0, final SD 7.1 and 6.9, change SD 4.5 and 4.2.
def test_correlation_between_baseline_and_final() -> None:
    assert printed(convert.correlation_from_sds(sd_1=6.4, sd_2=7.1, sd_difference=4.5), "0.78")
    assert printed(convert.correlation_from_sds(sd_1=7.0, sd_2=6.9, sd_difference=4.2), "0.82")


def test_change_sd_returns_what_the_correlation_came_from() -> None:
    r = convert.correlation_from_sds(sd_1=6.4, sd_2=7.1, sd_difference=4.5)
    found = convert.change_sd(sd_baseline=6.4, sd_final=7.1, r=r)
    assert found.sd == pytest.approx(4.5, rel=1e-14)
    assert [step.function for step in found.walk()] == ["correlation_from_sds", "change_sd"]


# Section 6.5.2.10, table 6.5.a, against people: two groups whose values are known.
def test_combining_groups_is_what_one_group_would_have_given() -> None:
    first, second = [3.0, 5.0, 4.0, 8.0], [9.0, 7.0, 12.0]

    def summary(x: list[float]) -> tuple[int, float, float]:
        mean = sum(x) / len(x)
        return len(x), mean, (sum((v - mean) ** 2 for v in x) / (len(x) - 1)) ** 0.5

    (n1, m1, s1), (n2, m2, s2) = summary(first), summary(second)
    found = convert.combine_means(n=[n1, n2], mean=[m1, m2], sd=[s1, s2])
    assert (found.n, found.mean, found.sd) == pytest.approx(summary(first + second), rel=1e-14)


# Section 15.4.4: baseline risk 0.3 with RR 0.92 gives 24 fewer per 1000 and an NNT of 41.7; OR 0.73 gives 62 and 16.2.
def test_absolute_effects() -> None:
    from_rr = convert.absolute_risk_from_risk_ratio(risk_ratio=0.92, baseline_risk=0.3)
    assert printed(from_rr.per_1000, "-24")
    assert printed(from_rr.nnt, "41.7")
    from_or = convert.absolute_risk_from_odds_ratio(odds_ratio=0.73, baseline_risk=0.3)
    assert printed(from_or.per_1000, "-62")
    assert printed(from_or.nnt, "16.2")


# Section 23.1.5: 21 classes of 625 children, ICC 0.02; 63/295 and 84/330 are worth 40.0/187.2 and 53.3/209.4.
def test_cluster_trial() -> None:
    size = 29.8  # (295 + 330) / (10 + 11), as printed
    assert printed((295 + 330) / (10 + 11), "29.8")
    assert printed(convert.design_effect(icc=0.02, cluster_size=size), "1.576")
    found = convert.effective_sample_size(n=[295, 330], events=[63, 84], icc=0.02, cluster_size=size)
    assert [f"{n:.1f}" for n in found.n] == ["187.2", "209.4"]
    assert [f"{e:.1f}" for e in found.events] == ["40.0", "53.3"]


# Section 23.2.7 (16.4.6.4 in version 5.1): a crossover trial of 10 people, means 7.0 and 6.5, SDs 2.38 and 2.21.
def test_crossover_trial() -> None:
    assert printed(convert.se_of_paired_difference_from_sd(sd=2, n=10), "0.632")
    assert printed(convert.se_of_paired_difference(sd_1=2.38, sd_2=2.21, r=0.68, n=10), "0.583")
    found = convert.crossover_smd(difference=0.5, sd_1=2.38, sd_2=2.21, r=0.68, n=10)
    assert printed(found.smd, "0.218")
    assert printed(found.se, "0.256")
