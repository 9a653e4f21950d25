"""Dose-response: equations of the covariances, one and two stages, splines, prediction, words, plot, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.dose_response.covariance import COVARIANCES, DESIGNS, SIGN, covariance, greenland_longnecker, hamling
from balm.stats.dose_response.second_stage import Sums, _evaluate, _heights, lower
from balm.stats.dose_response.trends import TRENDS, Trend
from balm.vocabulary.problems import InputError

CASES = np.array([110.0, 212, 211, 132, 133])
PEOPLE = np.array([8103.0, 17538, 15304, 9078, 10685])
LOG_RATIO = np.array([-0.2877, -0.3011, -0.3857, -0.5276])
SE = np.array([0.1199, 0.1259, 0.1399, 0.1493])


def data(seed: int = 1, k: int = 7, doses: int = 4) -> dict[str, Any]:
    """Studies with a bent trend, the reference first."""
    rng = np.random.default_rng(seed)
    rows: dict[str, Any] = {name: [] for name in ("study", "dose", "log_ratio", "se", "cases", "n", "design")}
    for i in range(k):
        dose = np.sort(rng.uniform(0, 30, doses))
        n = rng.integers(300, 900, doses).astype(float)
        cases = np.maximum(5.0, np.round(n * 0.2 * np.exp(0.02 * dose + rng.normal(0, 0.1, doses))))
        other = n - cases
        se = np.sqrt(1 / cases + 1 / other + 1 / cases[0] + 1 / other[0]) * 1.1
        log_ratio = np.log(cases / other) - np.log(cases[0] / other[0])
        se[0] = log_ratio[0] = 0.0
        columns = (dose, log_ratio, se, cases, n)
        for name, column in zip(("dose", "log_ratio", "se", "cases", "n"), columns, strict=True):
            rows[name] += column.tolist()
        rows["study"] += [f"S{i}"] * doses
        rows["design"] += ["case-control"] * doses
    return rows


def fit(trend: str = "linear", rows: dict[str, Any] | None = None, **options: Any) -> Any:
    return balm.dose_response(trend, **((rows or data()) | options))


@pytest.mark.parametrize("design", DESIGNS)
def test_hamling_counts_have_the_reported_ratios_variances_and_totals(design: str) -> None:
    s, r = hamling(design, LOG_RATIO, SE, CASES, PEOPLE)
    sign, ratio = SIGN[design], np.concatenate(([1.0], np.exp(LOG_RATIO)))
    v = SE**2
    a = np.concatenate(([(1 + sign * r) / s], (1 + sign * r * ratio[1:]) / (v - s)))
    b = a / (r * ratio)
    other = PEOPLE - CASES if design == "case-control" else PEOPLE
    assert a[1:] / b[1:] / (a[0] / b[0]) == pytest.approx(np.exp(LOG_RATIO), rel=1e-12)
    assert 1 / a[1:] + sign / b[1:] + 1 / a[0] + sign / b[0] == pytest.approx(v, rel=1e-11)
    assert b[0] / b.sum() == pytest.approx(other[0] / other.sum(), rel=1e-10)
    assert b.sum() / a.sum() == pytest.approx(other.sum() / CASES.sum(), rel=1e-10)


@pytest.mark.parametrize("design", DESIGNS)
def test_adjusted_counts_keep_their_total_and_have_the_ratios(design: str) -> None:
    base, own = greenland_longnecker(design, LOG_RATIO, CASES, PEOPLE)
    term = np.concatenate(([base], own))
    if design == "case-control":  # 1/A + 1/(N - A): the root with A < N/2
        a = PEOPLE * (1 - np.sqrt(1 - 4 / (term * PEOPLE))) / 2
        crude = np.log(a / (PEOPLE - a))
    else:
        a = 1 / term
        crude = np.log(a / PEOPLE)
    assert a.sum() == pytest.approx(CASES.sum(), rel=1e-9)
    assert crude[1:] - crude[0] == pytest.approx(LOG_RATIO, abs=1e-8)


def test_counts_that_cannot_be() -> None:
    """Risks so near 1 that no effective counts have the adjusted ratios: the study is named, with a way out."""
    rows = {
        "study": ["A"] * 4,
        "dose": [0, 1, 2, 3],
        "log_ratio": [0, 0.4, 0.5, 0.9],
        "se": [0, 0.05, 0.05, 0.05],
        "cases": [80, 85, 90, 95],
        "n": [100, 100, 100, 100],
        "design": "cumulative-incidence",
    }
    with pytest.raises(InputError, match=r"A: no counts agree with these log ratios.*use another covariance"):
        balm.dose_response(covariance="hamling", method="common", **rows)
    assert balm.dose_response(method="common", **rows).k == 1


@pytest.mark.parametrize("kind", COVARIANCES)
def test_every_covariance_keeps_the_reported_errors(kind: str) -> None:
    for design in DESIGNS:
        v = covariance(kind, design=design, log_ratio=LOG_RATIO, se=SE, cases=CASES, n=PEOPLE)
        assert np.diag(v) == pytest.approx(SE**2)
        assert float(np.linalg.eigvalsh(v)[0]) > 0.0
        assert (v[0, 1] > 0.0) == (kind != "independent")


def test_likelihood_by_direct_algebra() -> None:
    """One stage against the dense likelihood, REML and ML, with its slope and curvature by differences."""
    found = fit("quadratic", stages=1, method="ML")
    height = 0.0
    for s in found.studies:
        x = found.trend.columns(s.dose)
        x = x[1:] - x[0]
        v = s.variance + x @ found.psi @ x.T
        gap = s.log_ratio - x @ found.coefficients
        height -= 0.5 * (len(gap) * math.log(2 * math.pi) + np.linalg.slogdet(v)[1] + gap @ np.linalg.solve(v, gap))
    assert found.log_likelihood == pytest.approx(height, rel=1e-10)


@pytest.mark.parametrize("reml", [True, False])
def test_slope_and_curvature_are_exact(reml: bool) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(6, 4, 2))
    y = rng.normal(size=(6, 4))
    p, u = np.einsum("kmi,kmj->kij", x, x), np.einsum("kmi,km->ki", x, y)
    sums = Sums(p, u, (y**2).sum(axis=1), np.zeros(6), np.full(6, 4.0))
    theta = np.array([0.7, 0.2, 0.4])
    height, slope, curvature = _evaluate(sums, [theta], reml)[0]
    step = 1e-5
    ends = [(theta + step * e, theta - step * e) for e in np.eye(3)]
    ups = [_evaluate(sums, [a, b], reml) for a, b in ends]
    assert slope == pytest.approx([(a[0] - b[0]) / (2 * step) for a, b in ups], rel=1e-7, abs=1e-8)
    assert curvature == pytest.approx(np.array([(a[1] - b[1]) / (2 * step) for a, b in ups]), rel=1e-6, abs=1e-7)
    many = _heights(sums, np.stack([lower(theta, 2), np.eye(2)]), reml)
    assert many[0] - many[1] == pytest.approx(height - _evaluate(sums, [np.array([1.0, 0, 1.0])], reml)[0][0], rel=1e-9)


def test_one_and_two_stages_are_the_same_trend() -> None:
    for method in ("REML", "ML", "common"):
        one, two = (fit("spline", method=method, stages=stages) for stages in (1, 2))
        assert one.coefficients == pytest.approx(two.coefficients, rel=1e-7)
        assert one.psi == pytest.approx(two.psi, rel=1e-5, abs=1e-12)


def test_common_trend_is_weighted_least_squares() -> None:
    found = fit(method="common", covariance="independent")
    rows = data()
    x, w = [], []
    for s in found.studies:
        x += (s.dose[1:] - s.dose[0]).tolist()
        w += (1 / np.diag(s.variance)).tolist()
    y = [v for v, e in zip(rows["log_ratio"], rows["se"], strict=True) if e > 0]
    xs, ys, ws = np.array(x), np.array(y), np.array(w)
    assert found.coefficients[0] == pytest.approx((ws * xs) @ ys / ((ws * xs) @ xs))


def test_unit_of_the_dose_does_not_matter() -> None:
    rows = data()
    milli = rows | {"dose": [d * 1e6 for d in rows["dose"]]}
    for trend in TRENDS:
        one, other = fit(trend, rows).predict([5, 20]), fit(trend, milli).predict([5e6, 20e6])
        assert other.estimate == pytest.approx(one.estimate, rel=1e-6)
        assert other.se == pytest.approx(one.se, rel=1e-6)


def test_rows_in_any_order_and_a_missing_se_at_the_reference() -> None:
    rows = data()
    order = np.random.default_rng(5).permutation(len(rows["dose"]))
    turned = {name: [column[i] for i in order] for name, column in rows.items()}
    turned["se"] = [None if e == 0 else e for e in turned["se"]]
    assert fit("quadratic", turned).coefficients == pytest.approx(fit("quadratic", rows).coefficients, rel=1e-9)


def test_splines_are_straight_outside_their_knots() -> None:
    trend = Trend("spline", (2.0, 5.0, 9.0, 14.0))
    x = trend.columns(np.array([-3.0, -2, -1, 15, 16, 17]))
    assert np.diff(x[:3], 2, axis=0) == pytest.approx(np.zeros((1, 3)), abs=1e-12)
    assert np.diff(x[3:], 2, axis=0) == pytest.approx(np.zeros((1, 3)), abs=1e-10)
    assert trend.names == ("dose", "spline 2", "spline 3")


def test_fewer_doses_than_coefficients_need_one_stage() -> None:
    rows = data()
    drop = {4 * 2 + 2, 4 * 2 + 3}  # the third study keeps one dose beside its reference
    short = {name: [v for i, v in enumerate(column) if i not in drop] for name, column in rows.items()}
    with pytest.raises(InputError, match="S2: the doses do not determine 2 coefficients; use stages=1"):
        fit("quadratic", short)
    found = fit("quadratic", short, stages=1)
    assert found.k == 7 and math.isnan(found.study_coefficients[2, 0])


def test_prediction_and_goodness_of_fit() -> None:
    found = fit("spline")
    curve = found.predict([3.0, 12.0], reference=3.0, level=0.9)
    assert curve.ratio[0] == 1.0 and curve.se[0] == 0.0
    assert curve.high[1] - curve.estimate[1] == pytest.approx(1.6448536269514722 * curve.se[1])
    good = found.goodness_of_fit
    assert good.df == 7 * 3 - 2 and 0 < good.r2 < 1 and good.r2_adjusted < good.r2
    assert found.overall.df == 2 and found.nonlinearity.df == 1
    assert list(curve.to_frame()["dose"]) == [3.0, 12.0]
    assert len(found.to_frame()["study"]) == 7
    assert found.to_dict()["coefficients"]["dose"]["p"] < 1


def test_words_and_plot() -> None:
    found = fit("spline")
    assert "a restricted cubic spline with knots at" in found.methods()
    assert "Greenland and Longnecker (1992)" in found.methods()
    assert "for a departure from a straight line." in found.sentence()
    assert "Non-linearity" in repr(found) and "<table" in found._repr_html_()
    line = fit(stages=1, covariance="independent")
    assert "for each unit of dose" in line.sentence() and "taken as independent" in line.methods()
    svg = found.curve(title="Alcohol", reference=5.0).svg
    assert "Alcohol" in svg and svg.count("<circle") == 21
    assert found.curve(studies=False).svg.count("<circle") == 0
    with pytest.raises(InputError, match="reference must lie among the doses"):
        found.curve(reference=99.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trend": "cubic"}, "trend must be one of"),
        ({"method": "DL"}, "method must be one of"),
        ({"covariance": "exact"}, "covariance must be one of"),
        ({"stages": 3}, "stages must be 1 or 2; got 3"),
        ({"method": "MM", "stages": 1}, "needs stages=2"),
        ({"knots": [1, 2, 3]}, "knots belong to trend='spline'"),
        ({"trend": "spline", "knots": [3, 2, 1]}, "knots must be three or more rising numbers"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"design": None}, "needs design"),
        ({"design": "cohort"}, "design must be one of"),
        ({"study": None}, "study is missing"),
    ],
)
def test_options_are_checked(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        balm.dose_response(**(data() | {"trend": "linear"} | change))


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("se", 0, 0.1, "S0: no row with se 0"),
        ("se", 1, 0.0, "row 2: a log ratio of"),
        ("se", 1, -0.1, "row 2: se must be above 0"),
        ("cases", 2, 0.0, "row 3: cases must be above 0"),
        ("cases", 2, 5000.0, "row 3: cases .* must be fewer than n"),
        ("n", 2, -1.0, "row 3: n must be above 0"),
        ("dose", 2, "x", "row 3, column dose: 'x' is not a number"),
        ("log_ratio", 2, None, "row 3: log_ratio is missing"),
        ("design", 2, "incidence-rate", "S0: one study has one design"),
    ],
)
def test_data_are_checked(column: str, row: int, value: Any, message: str) -> None:
    rows = data()
    rows[column][row] = value
    with pytest.raises(InputError, match=message):
        balm.dose_response(**rows)


def test_one_study_and_doses_that_say_too_little() -> None:
    rows = {name: column[:4] for name, column in data().items()}
    with pytest.raises(InputError, match="one study says nothing about variation"):
        balm.dose_response(**rows)
    alone = balm.dose_response(method="common", **rows)
    assert alone.q_df == 0 and math.isnan(alone.q_p) and "1 study" in alone.sentence()
    same = data() | {"dose": [d for i in range(7) for d in (0, 5, 5, 5)]}
    with pytest.raises(InputError, match="the doses do not determine 2 coefficients"):
        balm.dose_response("quadratic", stages=1, **same)


@pytest.mark.parametrize(("name", "value"), [("se", 1e-200), ("se", 1e200), ("log_ratio", 1e300), ("dose", 1e200)])
def test_sizes_whose_squares_have_no_room_are_refused(name, value):
    columns = {"dose": [0.0, 1.0, 2.0], "log_ratio": [0.0, 0.1, 0.2], "se": [0.0, 0.1, 0.1]}
    columns[name][1] = value
    with pytest.raises(InputError, match="choose another unit"):
        balm.dose_response(study=["1"] * 3, covariance="independent", method="common", **columns)


def test_one_study_is_fitted_and_nothing_is_said_to_be_pooled() -> None:
    alone = balm.dose_response(
        study=["A"] * 3, dose=[0, 1, 2], log_ratio=[0, 0.1, 0.3], se=[0, 0.1, 0.12],
        covariance="independent", method="common",
    )  # fmt: skip
    assert alone.sentence().startswith("In 1 study, ")
    assert "and nothing was pooled" in alone.methods() and "were pooled" not in alone.methods()
