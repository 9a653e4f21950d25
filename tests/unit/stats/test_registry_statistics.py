"""Kaplan-Meier, repeated measures, exact tests and control charts against R, textbooks and algebra."""

from __future__ import annotations

import csv
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

from balm.stats.control_charts import RULES, funnel_limits, p_chart, xmr_chart
from balm.stats.distributions import binom_cdf
from balm.stats.exact_tests import chi_squared_test, exact_test, too_many
from balm.stats.kaplan_meier import kaplan_meier
from balm.stats.repeated_measures import repeated_measures
from balm.vocabulary.problems import InputError

FOLDER = Path(__file__).resolve().parents[3] / "validation" / "registry"
R = json.loads((FOLDER / "oracle.json").read_text("utf-8"))
VISITS = ("b", "w1", "m1", "m3")


def number(value: object) -> float:
    return math.nan if value in (None, "NA") else float(value)  # type: ignore[arg-type]


def answers() -> np.ndarray:
    y = np.full((30, 4), np.nan)
    for row in csv.DictReader((FOLDER / "repeated_measures.csv").read_text("utf-8").splitlines()):
        y[int(row["id"]) - 1, VISITS.index(row["visit"])] = float(row["y"])
    return y


@pytest.mark.parametrize("want", R["kaplan_meier"], ids=lambda w: w["scale"])
def test_kaplan_meier_is_survfit(want: dict[str, list[float]]) -> None:
    data = R["leukaemia"]
    got = kaplan_meier(data["time"], [bool(e) for e in data["event"]], scale=str(want["scale"]))
    for name in ("times", "at_risk", "events", "survival", "se", "low", "high"):
        assert list(getattr(got, name)) == pytest.approx([number(v) for v in want[name]], rel=1e-12), name
    median = (got.median, *got.median_interval)
    assert median == pytest.approx([number(v) for v in want["median"]], rel=1e-12, nan_ok=True)


def test_kaplan_meier_at_its_edges() -> None:
    half = kaplan_meier([1, 2, 3, 4], [True] * 4)
    want = [number(v) for v in R["halves"]]
    assert (half.median, *half.median_interval) == pytest.approx(want, nan_ok=True)
    assert half.survival[-1] == 0 and math.isnan(half.low[-1]) and half.at(9)[0] == 0
    nobody = kaplan_meier([5, 7], [False, False])
    assert nobody.survival == (1.0, 1.0) and nobody.low == (1.0, 1.0) and math.isnan(nobody.median)
    assert nobody.at(6) == (1.0, 1.0, 1.0) and all(math.isnan(v) for v in nobody.at(8))
    assert [nobody.at_risk_at(t) for t in (0, 5, 6, 8)] == [2, 2, 1, 0]
    for time, event in (([], []), ([1], [True, False]), ([-1], [True]), ([math.nan], [True])):
        with pytest.raises(InputError):
            kaplan_meier(time, event)


def test_compound_symmetry_is_lmer_with_kenward_roger() -> None:
    fit = repeated_measures(answers(), VISITS, structure="compound-symmetry")
    want = R["compound_symmetry"]
    found = [fit.mean("b"), *(fit.change(v, "b") for v in VISITS[1:])]
    for name, rel in (("estimate", 1e-8), ("se", 1e-7), ("df", 1e-5), ("p", 1e-4)):
        assert [getattr(c, name) for c in found] == pytest.approx(want[name], rel=rel), name
    assert fit.log_likelihood == pytest.approx(want["log_likelihood"], abs=1e-7)
    assert fit.people == 30 and sum(fit.observed) == 98


def test_unstructured_is_gls() -> None:
    fit = repeated_measures(answers(), VISITS)
    want = R["unstructured"]
    found = [fit.mean("b"), *(fit.change(v, "b") for v in VISITS[1:])]
    weights = [[1, 0, 0, 0], [-1, 1, 0, 0], [-1, 0, 1, 0], [-1, 0, 0, 1]]
    plain = [math.sqrt(np.array(w) @ fit.variance @ np.array(w)) for w in weights]
    assert [c.estimate for c in found] == pytest.approx(want["estimate"], abs=2e-6)
    assert plain == pytest.approx(want["se"], rel=2e-5)
    assert want["log_likelihood"] - 1e-8 <= fit.log_likelihood <= want["log_likelihood"] + 1e-6
    assert all(c.se >= se - 1e-9 for c, se in zip(found, plain, strict=True))


def test_complete_data_give_the_paired_t_test() -> None:
    from scipy.stats import ttest_rel

    y = answers()
    y = y[~np.isnan(y).any(axis=1)]
    fit = repeated_measures(y, VISITS)
    for j, visit in enumerate(VISITS[1:], start=1):
        test, got = ttest_rel(y[:, j], y[:, 0]), fit.change(visit, "b")
        assert got.p == pytest.approx(test.pvalue, rel=1e-9) and got.df == pytest.approx(len(y) - 1, rel=1e-9)
        assert got.estimate == pytest.approx(float(np.mean(y[:, j] - y[:, 0])), rel=1e-12)


def test_missing_at_random_is_recovered_where_means_of_who_is_left_are_not() -> None:
    rng = np.random.default_rng(11)
    y = rng.multivariate_normal([7, 5], [[2, 1.6], [1.6, 2]], size=4000)
    y[y[:, 0] > 7.5, 1] = np.nan
    fit = repeated_measures(y, ("a", "b"))
    assert fit.means[1] == pytest.approx(5, abs=0.12)
    assert np.nanmean(y[:, 1]) < 4.6


def test_what_cannot_be_fitted_says_so() -> None:
    nan = math.nan
    for values, words in (
        ([[1, nan], [2, nan]], "has 0 answers"),
        ([[1, 2, nan], [2, nan, 3], [nan, 4, 5], [3, 3, 4]], "share 2 people"),
        ([[1, 5], [2, 5], [3, 5]], "are the same"),
        ([[1, math.inf], [2, 5]], "finite"),
        ([[1], [2]], "two or more"),
    ):
        with pytest.raises(InputError, match=words):
            repeated_measures(values, [f"v{i}" for i in range(len(values[0]))])
    fit = repeated_measures(answers(), VISITS)
    with pytest.raises(InputError, match="visit must be one of"):
        fit.mean("m2")
    with pytest.raises(InputError, match="one number for each"):
        fit.contrast([1, 0])


@pytest.mark.parametrize("case", R["exact"], ids=lambda c: str(c["events"]))
def test_exact_test_is_fisher_test(case: dict[str, list[int]]) -> None:
    assert exact_test(case["events"], case["n"]) == pytest.approx(case["p"], rel=1e-10)


def test_exact_test_by_listing_every_table() -> None:
    events, n = [2, 0, 5, 3], [6, 4, 7, 5]

    def weight(xs: tuple[int, ...]) -> int:
        return math.prod(math.comb(size, x) for x, size in zip(xs, n, strict=True))

    tables = [xs for xs in itertools.product(*(range(s + 1) for s in n)) if sum(xs) == sum(events)]
    want = sum(w for w in map(weight, tables) if w <= weight(tuple(events))) / sum(map(weight, tables))
    assert exact_test(events, n) == pytest.approx(want, rel=1e-10)
    assert exact_test([0, 0], [3, 4]) == exact_test([3, 4], [3, 4]) == exact_test([1, 0], [4, 0]) == 1.0
    for wrong in (([1], [2, 3]), ([4, 1], [3, 3]), ([0.5, 1], [3, 3])):
        with pytest.raises(InputError):
            exact_test(*wrong)


#: Montgomery, Introduction to Statistical Quality Control: table 7.1, frozen orange juice cans, 30 samples of 50.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
#: The same, table 6.6: cost of processing a mortgage loan, 20 weeks.
LOANS = [310, 288, 297, 298, 307, 303, 294, 297, 308, 306, 294, 299, 297, 299, 314, 295, 293, 306, 301, 304]


def test_p_chart_of_the_textbook() -> None:
    chart = p_chart(CANS, [50] * 30)
    assert (round(chart.centre, 4), round(chart.high[0], 4), round(chart.low[0], 4)) == (0.2313, 0.4102, 0.0524)
    assert [i + 1 for i, s in enumerate(chart.signals) if 1 in s] == [15, 23]
    assert not chart.few and p_chart([1], [2]).few and p_chart([0, 0], [3, 3]).signals == ((), ())


def test_individuals_chart_of_the_textbook() -> None:
    chart = xmr_chart(LOANS)
    assert chart.centre == 300.5 and round(chart.mean_range, 2) == 7.79
    assert (round(chart.high[0], 2), round(chart.low[0], 2)) == (321.22, 279.78)
    assert round(chart.range_limit, 2) == 25.45 and not any(chart.signals)


def test_each_rule_speaks_on_a_series_made_for_it() -> None:
    centre = [50, 50, 50, 50]
    sigma = math.sqrt(0.5 * 0.5 / 100)

    def rules(zs: list[float]) -> set[int]:
        events = [round(100 * (0.5 + z * sigma)) for z in zs]
        balance = [100 - e for e in reversed(events)]  # keeps the centre at one half
        chart = p_chart([*events, *centre, *balance], [100] * (2 * len(events) + 4))
        assert chart.centre == pytest.approx(0.5)
        return {r for s in chart.signals[: len(events)] for r in s}

    assert rules([3.2, -1, 1]) == {1}
    assert rules([2.4, 0, 2.4]) == {2}
    assert rules([1.4, 1.4, 0, 1.4, 1.4]) == {3}
    assert rules([0.6] * 8) == {4}
    assert rules([0.6] * 7) == set() and len(RULES) == 4


def test_funnel_limits_are_binomial_quantiles() -> None:
    for n, (low, high) in zip((10, 50, 400), funnel_limits(0.4, [10, 50, 400], level=0.95), strict=True):
        assert 0 <= low < 0.4 < high <= 1
        assert binom_cdf(math.ceil(low * n) - 1, n, 0.4) < 0.025 <= binom_cdf(math.ceil(low * n), n, 0.4)
        assert binom_cdf(math.ceil(high * n), n, 0.4) >= 0.975 > binom_cdf(math.ceil(high * n) - 1, n, 0.4)
    low, high = funnel_limits(0.5, [10_000], level=0.95)[0]
    assert (low, high) == pytest.approx((0.5 - 1.96 * 0.005, 0.5 + 1.96 * 0.005), abs=1e-4)
    with pytest.raises(InputError):
        funnel_limits(0.0, [10], level=0.95)
    for wrong in (([1], [1, 2]), ([3], [2]), ([], [])):
        with pytest.raises(InputError):
            p_chart(*wrong)
    with pytest.raises(InputError):
        xmr_chart([1.0])


def test_kenward_roger_is_the_formula_of_the_paper_written_out() -> None:
    """Kenward & Roger (1997), section 2, with one dense matrix for all answers, at the estimated covariance."""
    y = answers()
    fit = repeated_measures(y, VISITS)
    m = len(VISITS)
    rows = [(i, j) for i in range(len(y)) for j in range(m) if not np.isnan(y[i, j])]
    x = np.array([[float(j == k) for k in range(m)] for _, j in rows])
    same = np.array([[a == c for c, _ in rows] for a, _ in rows])
    at = np.array([j for _, j in rows])

    def spread(matrix: np.ndarray) -> np.ndarray:
        return np.where(same, matrix[np.ix_(at, at)], 0.0)

    shapes = []
    for j, k in itertools.combinations_with_replacement(range(m), 2):
        shape = np.zeros((m, m))
        shape[j, k] = shape[k, j] = 1.0
        shapes.append(spread(shape))
    v = np.linalg.inv(spread(fit.covariance))
    phi = np.linalg.inv(x.T @ v @ x)
    projection = v - v @ x @ phi @ x.T @ v
    turned = [projection @ s for s in shapes]
    w = np.linalg.inv(np.array([[0.5 * np.sum(a * b.T) for b in turned] for a in turned]))
    p = [-x.T @ v @ s @ v @ x for s in shapes]
    inner = sum(
        w[i, j] * (x.T @ v @ shapes[i] @ v @ shapes[j] @ v @ x - p[i] @ phi @ p[j])
        for i in range(len(shapes))
        for j in range(len(shapes))
    )
    adjusted = phi + 2 * phi @ inner @ phi
    assert fit.variance == pytest.approx(phi, rel=1e-9)
    assert fit.adjusted == pytest.approx(adjusted, rel=1e-8)
    c = np.array([-1.0, 0.0, 0.0, 1.0])
    slopes = np.array([c @ phi @ q @ phi @ c for q in p]) / (c @ phi @ c)
    got = fit.change("m3", "b")
    assert got.df == pytest.approx(2 / (slopes @ w @ slopes), rel=1e-8)
    assert got.se == pytest.approx(math.sqrt(c @ adjusted @ c), rel=1e-9)
    # The restricted likelihood is flat here: no small move of any parameter improves it.
    outside = np.array([y[i, j] for i, j in rows])

    def likelihood(covariance: np.ndarray) -> float:
        dense = spread(covariance)
        inverse = np.linalg.inv(dense)
        gram = x.T @ inverse @ x
        rest = outside - x @ np.linalg.solve(gram, x.T @ inverse @ outside)
        constant = (len(rows) - m) * math.log(2 * math.pi)
        return -0.5 * (np.linalg.slogdet(dense)[1] + np.linalg.slogdet(gram)[1] + rest @ inverse @ rest + constant)

    top = likelihood(fit.covariance)
    assert fit.log_likelihood == pytest.approx(top, abs=1e-9)
    for j, k in itertools.combinations_with_replacement(range(m), 2):
        for step in (-1e-3, 1e-3):
            moved = fit.covariance.copy()
            moved[j, k] = moved[k, j] = moved[j, k] + step
            assert likelihood(moved) <= top


def test_groups_too_large_to_list_are_compared_by_chi_squared() -> None:
    from scipy.stats import chi2_contingency

    events, n = [300, 420, 380], [1000, 1200, 1100]
    want = chi2_contingency([events, [b - a for a, b in zip(events, n, strict=True)]], correction=False).pvalue
    assert chi_squared_test(events, n) == pytest.approx(want, rel=1e-10)
    assert chi_squared_test([0, 0], [3, 4]) == 1.0 and chi_squared_test([1], [4]) == 1.0
    assert not too_many([500, 500, 500]) and too_many([5000] * 4)
    # R 4.2.2: fisher.test(cbind(c(300, 420, 380), c(700, 780, 720)), workspace = 1e9); its network algorithm takes path
    # lengths that differ by little for one, so that the last digits of large tables are its own.
    assert exact_test(events, n) == pytest.approx(0.0261134084846314, rel=1e-8)
    with pytest.raises(InputError, match="too much memory"):
        exact_test([2500] * 4, [5000] * 4)


#: Sixteen people at five visits; t is ten, - no answer.
SWINGING = "9-755 79--7 78-58 89937 7-283 75688 46-68 8539- 9tt-- t7247 7887- 73472 78742 75458 98-3- 8---6"


def test_a_fit_whose_scoring_steps_swing_about_the_maximum_is_found() -> None:
    """The expected information is less than half the observed one in a direction; nlme's gls finds -121.1464194."""
    values = [[math.nan if c == "-" else 10.0 if c == "t" else float(c) for c in row] for row in SWINGING.split()]
    fit = repeated_measures(values, ["b", "w1", "m1", "m3", "m6"])
    assert fit.log_likelihood == pytest.approx(-121.146419434, abs=1e-8)
    gls = [7.5625, 6.85888437817927, 6.40040445602147, 5.39822013464728, 5.98795724270516]
    assert list(fit.means) == pytest.approx(gls, abs=1e-5)
    assert np.linalg.eigvalsh(fit.covariance).min() > 0.05
