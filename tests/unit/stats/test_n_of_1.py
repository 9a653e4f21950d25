"""n-of-1 trials pooled: against lme4, closed forms of balanced series, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import balm
from balm.vocabulary.problems import InputError

PAIRS = (3, 2, 4, 3, 2, 5, 3)
PERSON = [name for name, m in zip("abcdefg", PAIRS, strict=True) for _ in range(m)]
DIFFERENCE = [2.1, 3.4, 1.2, 0.5, -0.8, 4.0, 2.6, 3.1, 3.9, 1.5, 0.2, 1.1, -1.0, 0.3, 2.2, 2.9, 1.7, 0.8, 2.0, 5.1, 3.6,
              4.4]  # fmt: skip


def test_the_numbers_of_lme4() -> None:
    # R 4, lme4: lmer(d ~ 1 + (1 | id)), optimiser tolerances 1e-14; anova(lm(d ~ id)) for F.
    fit = balm.n_of_1(PERSON, DIFFERENCE)
    assert fit.estimate == pytest.approx(1.79003486783, abs=1e-9)
    assert fit.se == pytest.approx(0.657527675063, abs=1e-8)
    assert fit.tau2 == pytest.approx(2.797544165197, abs=1e-7)
    assert fit.sigma2 == pytest.approx(0.658419108833, abs=1e-8)
    assert fit.log_likelihood == pytest.approx(-34.7982825797, abs=1e-9)
    own = [2.2010855688348, 0.0542623345692, 3.3105352374082, 0.9956541205227, -0.1246800712653, 1.9141574007292,
           4.1792294840136]  # fmt: skip
    assert fit.effect == pytest.approx(own, abs=1e-8)
    assert fit.heterogeneity.statistic == pytest.approx(12.32794, abs=1e-5)
    assert fit.heterogeneity.p == pytest.approx(4.6542e-05, rel=1e-4)


def test_a_balanced_series_is_a_t_test_of_the_means() -> None:
    rng = np.random.default_rng(2)
    d = rng.normal(1.0, 0.5, (8, 4)) + rng.normal(0.0, 1.0, (8, 1))
    fit = balm.n_of_1(np.repeat(np.arange(8), 4), d.ravel())
    means = d.mean(axis=1)
    t = stats.ttest_1samp(means, 0.0)
    assert fit.estimate / fit.se == pytest.approx(t.statistic, rel=1e-9) and fit.p == pytest.approx(t.pvalue, rel=1e-8)
    within = d.var(axis=1, ddof=1).mean()
    assert fit.sigma2 == pytest.approx(within, rel=1e-9)
    assert fit.tau2 == pytest.approx(means.var(ddof=1) - within / 4, rel=1e-8)
    # Two people with the mean's own effect stay there; the prediction is wider than the mean's interval.
    assert fit.prediction_interval.low < fit.interval.low < fit.estimate


def test_shifts_and_units() -> None:
    one = balm.n_of_1(PERSON, DIFFERENCE)
    far = balm.n_of_1(PERSON, np.array(DIFFERENCE) * 1e-6 + 1e3)
    assert far.estimate == pytest.approx(one.estimate * 1e-6 + 1e3, rel=1e-12)
    assert far.tau2 == pytest.approx(one.tau2 * 1e-12, rel=1e-4)  # 1e3 leaves ten digits of the differences


def test_people_without_variation_between_them_share_the_mean() -> None:
    fit = balm.n_of_1(["a", "a", "b", "b", "c", "c"], [1.0, -1.0, 0.9, -0.9, 1.2, -1.1])
    assert fit.tau2 == 0.0
    assert fit.effect == pytest.approx([fit.estimate] * 3) and fit.effect_se == pytest.approx([fit.se] * 3)
    assert fit.sigma2 == pytest.approx(np.var([1.0, -1.0, 0.9, -0.9, 1.2, -1.1], ddof=1))


def test_outcomes_columns_and_a_missing_pair() -> None:
    data = {"who": [*PERSON, "a"], "on": [*[d + 10.0 for d in DIFFERENCE], float("nan")], "off": [10.0] * 23}
    fit = balm.n_of_1("who", outcome_1="on", outcome_2="off", data=data)
    assert fit.estimate == pytest.approx(balm.n_of_1(PERSON, DIFFERENCE).estimate, rel=1e-12)
    assert fit.pairs.tolist() == list(PAIRS)
    shown = fit.effect_sizes
    assert shown.variance == pytest.approx(fit.sigma2 / np.array(PAIRS)) and list(shown.study) == list("abcdefg")
    assert len(fit.to_frame()) in (6, 7) and "7 people, 22 pairs" in repr(fit)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"person": ["a", "a"], "difference": [1.0, 2.0]}, "two people or more; got 1"),
        ({"person": ["a", "b", "c"], "difference": [1.0, 2.0, 3.0]}, "nobody has two pairs"),
        ({"person": ["a", "a", "b", "b"], "difference": [1.0, 1.0, 2.0, 2.0]}, "no variation within people"),
        ({"person": ["a", "a"], "difference": [1.0, 2.0], "outcome_1": [1, 2], "outcome_2": [1, 2]}, "give either"),
        ({"person": ["a", "a", "b", "b"], "outcome_1": [1, 2, 3, 4]}, "give either"),
        ({"person": ["a", "a", "b", "b"], "difference": [1.0, "x", 2.0, 2.0]}, "row 2.*'x' is not a number"),
        ({"person": ["a", "a", "b", "b"], "difference": [1.0, float("inf"), 2.0, 2.0]}, "infinite"),
        ({"person": ["a", "a", "b", "b"], "difference": [1.0, 0.0, 2.0, 2.0], "level": 1.0}, "level"),
    ],
)
def test_bad_input(given: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        balm.n_of_1(**given)
