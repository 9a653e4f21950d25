"""Diagnostic accuracy: against integrals and likelihoods by other means, symmetries, closed forms, and bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, multivariate_normal

import balm
from balm.stats.accuracy.curves import Line, expit, hsroc
from balm.stats.accuracy.tables import each_study, tables

COUNTS: dict[str, list[int]] = {
    "tp": [19, 45, 28, 60, 33, 12],
    "fn": [3, 20, 9, 5, 14, 0],
    "fp": [4, 40, 5, 20, 3, 9],
    "tn": [40, 80, 70, 60, 90, 31],
}
SWAPPED = {"tp": COUNTS["tn"], "tn": COUNTS["tp"], "fn": COUNTS["fp"], "fp": COUNTS["fn"]}


def test_the_binomial_likelihood_by_plain_integration() -> None:
    fit = balm.accuracy(**COUNTS)
    root = np.linalg.cholesky(fit.between)
    z = np.linspace(-8.0, 8.0, 401)
    a, b = np.meshgrid(z, z, indexing="ij")
    weight = np.exp(-0.5 * (a * a + b * b)) / (2.0 * math.pi) * (z[1] - z[0]) ** 2
    sens = expit(fit.mean[0] + root[0, 0] * a)
    fpr = expit(fit.mean[1] + root[1, 0] * a + root[1, 1] * b)
    t = fit.tables
    total = 0.0
    for tp, fn, fp, tn in zip(t.tp, t.fn, t.fp, t.tn, strict=True):
        total += math.log(float(np.sum(weight * binom.pmf(tp, tp + fn, sens) * binom.pmf(fp, fp + tn, fpr))))
    assert fit.log_likelihood == pytest.approx(total, abs=1e-6)
    assert fit.residual < 1e-6 and fit.fit.integration_error < 1e-5


def test_the_normal_likelihood_is_highest_at_the_estimate() -> None:
    fit = balm.accuracy(**COUNTS, model="normal", method="ML")
    c = fit.corrected
    y = np.column_stack((np.log(c.tp / c.fn), np.log(c.fp / c.tn)))
    v = np.column_stack((1.0 / c.tp + 1.0 / c.fn, 1.0 / c.fp + 1.0 / c.tn))

    def height(mean: Any, between: Any) -> float:
        return sum(float(multivariate_normal(mean, np.diag(s) + between).logpdf(x)) for x, s in zip(y, v, strict=True))

    best = height(fit.mean, fit.between)
    assert fit.log_likelihood == pytest.approx(best, abs=1e-10)
    for move in (np.array([0.02, 0.0]), np.array([0.0, -0.02])):
        assert height(fit.mean + move, fit.between) < best
    for move in (np.diag([0.02, 0.0]), np.diag([0.0, 0.02]), 0.01 * (1.0 - np.eye(2))):
        assert height(fit.mean, fit.between + move) < best > height(fit.mean, fit.between - move)


@pytest.mark.parametrize("model", ["binomial", "normal"])
def test_who_is_called_diseased_does_not_matter(model: str) -> None:
    fit, other = balm.accuracy(**COUNTS, model=model), balm.accuracy(**SWAPPED, model=model)
    assert [*other.sensitivity.interval] == pytest.approx([*fit.specificity.interval], abs=1e-7)
    assert other.specificity.estimate == pytest.approx(fit.sensitivity.estimate, abs=1e-7)
    assert other.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-8)
    assert other.dor.estimate == pytest.approx(fit.dor.estimate, rel=1e-6)
    one, two = fit.hsroc, other.hsroc
    assert (two.lambda_, -two.beta, -two.theta) == pytest.approx((one.lambda_, one.beta, one.theta), abs=1e-5)
    assert other.area() == pytest.approx(fit.area(), abs=1e-6)


def test_studies_that_agree_are_one_table() -> None:
    fit = balm.accuracy(tp=[45] * 5, fn=[5] * 5, fp=[10] * 5, tn=[90] * 5)
    assert fit.sensitivity.estimate == pytest.approx(0.9, abs=1e-9)
    half = 1.959963984540054 * math.sqrt(1.0 / 225 + 1.0 / 25)
    assert fit.sensitivity.interval.low == pytest.approx(float(expit(np.array(math.log(9.0) - half))), abs=1e-9)
    assert fit.dor.estimate == pytest.approx(81.0, rel=1e-9)
    lr = fit.positive_lr
    assert lr.estimate == pytest.approx(9.0, rel=1e-9)
    half = 1.959963984540054 * math.sqrt(1.0 / 225 - 1.0 / 250 + 1.0 / 50 - 1.0 / 500)
    assert [*lr.interval] == pytest.approx([9.0 * math.exp(-half), 9.0 * math.exp(half)], rel=1e-9)
    assert fit.negative_lr.estimate == pytest.approx(0.1 / 0.9, rel=1e-9)
    assert "does not vary" in fit.hsroc.reason and math.isnan(fit.hsroc.theta)
    with pytest.raises(balm.InputError, match="no summary curve"):
        fit.area()
    after, absent = fit.predictive_values(0.2)
    assert after.estimate == pytest.approx(0.18 / (0.18 + 0.08)) and absent.estimate == pytest.approx(0.72 / 0.74)
    assert after.interval.low < after.estimate < after.interval.high


def test_laplace_is_near_and_quadrature_nearer() -> None:
    exact = balm.accuracy(**COUNTS)
    errors = [abs(balm.accuracy(**COUNTS, points=n).log_likelihood - exact.log_likelihood) for n in (1, 3, 9)]
    assert 0.2 > errors[0] > errors[1] > errors[2]


def test_without_correlation_each_proportion_is_its_own_model() -> None:
    fit = balm.accuracy(**COUNTS, correlated=False)
    es = balm.glmm("PLO", events=COUNTS["tp"], n=[a + b for a, b in zip(COUNTS["tp"], COUNTS["fn"], strict=True)])
    assert fit.mean[0] == pytest.approx(es.estimate, abs=1e-8)
    assert fit.between[0, 1] == 0.0 and math.isnan(fit.correlation)
    assert "taken as 0" in fit.methods()


def test_the_regions_hold_what_they_say() -> None:
    fit = balm.accuracy(**COUNTS, model="normal")
    for of, spread in (("mean", fit.covariance), ("new study", fit.covariance + fit.between)):
        edge = fit.region(of, level=0.9)
        x = np.log(edge[:, ::-1] / (1.0 - edge[:, ::-1])) - fit.mean
        distance = np.einsum("ki,ij,kj->k", x, np.linalg.inv(spread), x)
        assert distance == pytest.approx(np.full(len(x), -2.0 * math.log(0.1)), rel=1e-6)


@pytest.mark.parametrize(("a", "b"), [(2.0, 1.0), (4.2, 0.6), (-1.0, 1.7), (3.0, 0.0), (1.0, 12.0)])
def test_the_area_by_plain_quadrature(a: float, b: float) -> None:
    line = Line(a, b)
    cut = 1.0 / (1.0 + math.exp(a / b)) if b else 0.5
    plain = sum(
        quad(lambda p: float(line(np.array(p))), lo, hi, epsabs=1e-12, limit=500)[0] for lo, hi in ((0, cut), (cut, 1))
    )
    assert line.area() == pytest.approx(plain, abs=1e-8)
    assert 0.3 * line.area(0.0, 0.3) + 0.7 * line.area(0.3, 1.0) == pytest.approx(line.area(), abs=1e-11)


def test_hsroc_and_back() -> None:
    mean, between = np.array([2.0, -1.3]), np.array([[0.6, 0.4], [0.4, 1.5]])
    h = hsroc(mean, between)
    turn = math.exp(0.5 * h.beta)  # Harbord et al. (2007), the way back
    assert (h.theta + 0.5 * h.lambda_) / turn == pytest.approx(2.0)
    assert -(h.theta - 0.5 * h.lambda_) * turn == pytest.approx(1.3)
    assert (h.sigma2_theta + 0.25 * h.sigma2_alpha) / turn**2 == pytest.approx(0.6)
    assert (h.sigma2_theta + 0.25 * h.sigma2_alpha) * turn**2 == pytest.approx(1.5)
    assert h.sigma2_theta - 0.25 * h.sigma2_alpha == pytest.approx(0.4)
    assert float(h.curve(expit(np.array(-1.3)))) > 0.8


def test_a_known_power_is_found_again() -> None:
    # sensitivity = fpr ** 0.2 exactly, in studies large enough for the counts to show it
    fpr = np.array([0.05, 0.1, 0.2, 0.3])
    n = 10**7
    counts = {"tp": np.round(n * fpr**0.2), "fp": np.round(n * fpr)}
    fit = balm.accuracy(**counts, fn=n - counts["tp"], tn=n - counts["fp"], model="normal")
    for heterogeneity in (True, False):
        found = fit.proportional_hazards(heterogeneity=heterogeneity)
        assert found.theta == pytest.approx(0.2, abs=1e-5) and found.tau2 < 1e-9
        assert found.auc == pytest.approx(1.0 / 1.2, abs=1e-5)
        assert found.auc_interval.low < found.auc < found.auc_interval.high
    assert float(found(np.array(0.1))) == pytest.approx(0.1**0.2, abs=1e-5)


def test_the_older_regression() -> None:
    fit = balm.accuracy(**COUNTS)
    found = fit.moses_littenberg()
    c = fit.tables.corrected(0.5, "all")
    d, s = np.log(c.tp * c.tn / c.fn / c.fp), np.log(c.tp * c.fp / c.fn / c.tn)
    slope, intercept = np.polyfit(s, d, 1)
    assert (found.intercept, found.slope) == pytest.approx((intercept, slope), abs=1e-10)
    x = np.array(0.2)
    y = float(found.curve(x))
    logits = math.log(y / (1 - y)), math.log(0.25)
    assert logits[0] - logits[1] == pytest.approx(intercept + slope * (logits[0] + logits[1]), abs=1e-10)
    weighed = fit.moses_littenberg(weights="inverse-variance")
    w = 1.0 / (1 / c.tp + 1 / c.fn + 1 / c.fp + 1 / c.tn)
    assert weighed.slope == pytest.approx(np.polyfit(s, d, 1, w=np.sqrt(w))[0], abs=1e-10)


def test_each_study() -> None:
    fit = balm.accuracy(**COUNTS, study=list("abcdef"))
    assert fit.studies.sensitivity[5] == 1.0  # as counted
    assert fit.studies.dor[5] == pytest.approx(12.5 * 31.5 / (0.5 * 9.5))  # corrected
    assert fit.studies.correlation == pytest.approx(
        float(np.corrcoef(fit.studies.sensitivity, fit.studies.specificity)[0, 1]) * -1.0
    )
    alone = each_study(tables(tp=[5], fn=[0], fp=[1], tn=[9]))
    assert math.isnan(alone.dor[0]) and math.isnan(alone.negative_lr_interval[0, 1]) and math.isnan(alone.correlation)
    assert len(fit.to_frame()) == 6
    assert fit.to_dict()["sensitivity"]["estimate"] == fit.sensitivity.estimate


def test_it_says_what_it_did() -> None:
    fit = balm.accuracy(**COUNTS)
    assert "In 6 studies (248 people with the condition, 452 without), the summary sensitivity is" in fit.sentence()
    assert "without a continuity correction" in fit.methods() and "nodes" in fit.methods()
    assert "Laplace" in balm.accuracy(**COUNTS, points=1).methods()
    normal = balm.accuracy(**COUNTS, model="normal")
    assert "0.5 was added to each cell of studies with a zero cell" in normal.methods()
    assert "Sensitivity" in repr(fit) and "<table" in fit._repr_html_()
    flat = balm.accuracy(tp=[45] * 4, fn=[5] * 4, fp=[10] * 4, tn=[90] * 4)
    assert "No summary curve" in repr(flat)
    together = [45, 40, 30, 20, 10]
    apart = [100 - x for x in together]
    bound = balm.accuracy(tp=together, fn=[50 - x for x in together], fp=together, tn=apart)
    assert bound.correlation == pytest.approx(1.0, abs=1e-9) and "on its bound" in repr(bound)
    assert "on its bound" not in repr(fit)


def test_columns_of_a_table() -> None:
    data = {"a": COUNTS["tp"], "b": COUNTS["fn"], "c": COUNTS["fp"], "d": COUNTS["tn"], "name": list("uvwxyz")}
    fit = balm.accuracy(tp="a", fn="b", fp="c", tn="d", study="name", data=data)
    assert fit.tables.study == tuple("uvwxyz") and fit.log_likelihood == balm.accuracy(**COUNTS).log_likelihood


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tp": [19, 45, 28, 60, 33, -1]}, "Study 6: a count of people is a whole number of 0 or more; got -1"),
        ({"tp": [19, 45, 28, 60, 33, 1e308]}, "Study 6: 1e+308 people are more than there are"),
        ({"tp": [19, 45, 28.5, 60, 33, 12]}, "row 3, column tp"),
        ({"fn": [3, None, 9, 5, 14, 0]}, "the count is missing"),
        ({"fn": ["3", "x", 9, 5, 14, 0]}, "'x' is not a number"),
        ({"tp": [0, 45, 28, 60, 33, 12], "fn": [0, 6, 9, 5, 14, 0]}, "Study 1: nobody with the condition"),
        ({"tn": [40, 80]}, "columns differ in length"),
        ({"model": "reitsma"}, "model must be one of"),
        ({"method": "REML"}, 'applies to model="normal"'),
        ({"model": "normal", "points": 3}, 'points applies to model="binomial"'),
        ({"points": 0}, "points must be a whole number from 1 to 99"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"to": "some"}, "to must be one of"),
        ({"model": "normal", "add": -1.0}, "add must be 0 or a positive number"),
        ({"model": "normal", "to": "none"}, "Study 6 has a cell without people"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(balm.InputError) as told:
        balm.accuracy(**{**COUNTS, **change})
    assert says in str(told.value)


def test_what_cannot_be_estimated_is_said() -> None:
    with pytest.raises(balm.InputError, match="needs 3 studies or more; got 2"):
        balm.accuracy(**{name: x[:2] for name, x in COUNTS.items()})
    never = {**COUNTS, "fp": [0] * 6}
    for correlated in (True, False):
        with pytest.raises(balm.InputError, match="no estimate: the likelihood rises without end"):
            balm.accuracy(**never, correlated=correlated)
    fit = balm.accuracy(**COUNTS)
    for call, says in (
        (lambda: fit.curve("moses"), "kind must be one of"),
        (lambda: fit.region("all"), "of must be one of"),
        (lambda: fit.region(level=2.0), "level must lie"),
        (lambda: fit.predictive_values(1.0), "prevalence must lie"),
        (lambda: fit.area(0.5, 0.5), "0 <= low < high <= 1"),
        (lambda: fit.curve()(np.array(1.5)), "between 0 and 1"),
        (lambda: fit.ratio("LR"), "ratio must be one of"),
        (lambda: fit.moses_littenberg(weights="sample"), "weights must be one of"),
        (lambda: fit.moses_littenberg(to="none"), "cell without people"),
    ):
        with pytest.raises(balm.InputError, match=says):
            call()
    with pytest.raises(balm.InputError, match="no regression"):
        balm.accuracy(tp=[45, 20, 30], fn=[5, 30, 2], fp=[10] * 3, tn=[90] * 3).curve("regression")


@pytest.mark.parametrize(
    ("tp", "fn", "fp", "tn"),
    [
        ([19, 13, 3, 32], [2, 3, 2, 13], [2, 7, 5, 10], [46, 112, 40, 84]),
        ([56, 51, 50, 16], [3, 8, 2, 2], [29, 15, 27, 25], [69, 46, 66, 61]),
        (
            [10, 3, 53, 40, 9, 43, 13, 7],
            [0, 3, 2, 4, 2, 4, 1, 0],
            [6, 3, 4, 4, 5, 0, 0, 2],
            [51, 11, 92, 70, 52, 28, 5, 22],
        ),
    ],
)
def test_no_other_covariance_is_higher(tp: list[int], fn: list[int], fp: list[int], tn: list[int]) -> None:
    """Few small studies: the maximum lies on a bound, and from near no variation the way there is short of slope."""
    fit = balm.accuracy(tp=tp, fn=fn, fp=fp, tn=tn)
    apart = balm.accuracy(tp=tp, fn=fn, fp=fp, tn=tn, correlated=False)
    assert fit.log_likelihood >= apart.log_likelihood - 1e-7
    z, weight = np.polynomial.hermite_e.hermegauss(40)
    a, b = np.meshgrid(z, z, indexing="ij")
    w = np.outer(weight, weight) / (2.0 * math.pi)
    t = fit.tables
    for s1 in (0.0, 0.15, 0.4, 0.8):
        for s2 in (0.0, 0.15, 0.4, 0.8):
            for r in (-1.0, -0.5, 0.0, 0.5, 1.0):
                sens = expit(fit.mean[0] + s1 * a)[..., None]
                fpr = expit(fit.mean[1] + s2 * (r * a + math.sqrt(1.0 - r * r) * b))[..., None]
                each = binom.pmf(t.tp, t.diseased, sens) * binom.pmf(t.fp, t.healthy, fpr)
                assert float(np.sum(np.log(np.einsum("ab,abk->k", w, each)))) <= fit.log_likelihood + 1e-6
    assert np.linalg.eigvalsh(fit.between).min() > -1e-9
    assert np.all(np.diag(fit.covariance) > 0.0)


def test_many_studies_are_taken_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The maxima are told by some of them, and the integrals taken in pieces: the same fit (as beyond 1,000)."""
    random = np.random.default_rng(11)
    k = 120
    with_condition, without = random.integers(4, 12, k), random.integers(4, 12, k)
    logits = random.multivariate_normal([1.4, -1.7], [[0.5, 0.1], [0.1, 0.4]], k)
    tp, fp = (
        random.binomial(n, 1.0 / (1.0 + np.exp(-x))) for n, x in zip((with_condition, without), logits.T, strict=True)
    )
    counts = {"tp": tp, "fn": with_condition - tp, "fp": fp, "tn": without - fp}
    at_once = balm.accuracy(**counts)
    monkeypatch.setattr("balm.stats.accuracy.binomial.ENOUGH", 60)
    monkeypatch.setattr("balm.stats.glmm.quadrature.TOGETHER", 50)
    monkeypatch.setattr("balm.stats.glmm.structure.TOGETHER", 50)
    whole = balm.accuracy(**counts)
    assert whole.log_likelihood == pytest.approx(at_once.log_likelihood, rel=1e-12)
    assert whole.mean == pytest.approx(at_once.mean, rel=1e-9)
    assert whole.between == pytest.approx(at_once.between, rel=1e-7)
    assert whole.covariance == pytest.approx(at_once.covariance, rel=1e-6)
