"""Multilevel models against dense algebra, their invariances, robust inference against loops, and every refusal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.dependence.covariance import sampling_covariance
from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.blocks import Blocks, connected
from balm.stats.multilevel.cluster_robust import KINDS, robust
from balm.stats.multilevel.correlated_effects import correlated_effects
from balm.stats.multilevel.crossing import Crossing, worth_crossing
from balm.stats.multilevel.entries import unstructured_in_parts
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.grouping import crossed, grouping
from balm.stats.multilevel.multilevel import multilevel
from balm.stats.multilevel.nested import Nested, nesting
from balm.stats.multilevel.random_terms import random_terms
from balm.stats.multilevel.structures import BY_LEVEL, STRUCTURES
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression
from balm.vocabulary.problems import InputError


def example(seed: int = 5, clusters: int = 12) -> tuple[EffectSizes, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    study = np.repeat(np.arange(clusters), 4)[: clusters * 4 - 2]
    k = len(study)
    outcome = np.tile(["a", "b", "a", "c"], clusters)[:k]
    v = rng.uniform(0.02, 0.1, k)
    y = 0.3 + rng.normal(size=clusters)[study] * 0.3 + rng.normal(size=k) * np.sqrt(v + 0.05)
    data = {
        "study": study,
        "paper": study * 2 + (np.arange(k) % 4 > 1),
        "outcome": outcome,
        "time": np.tile([0.0, 1.0, 2.5, 4.0], clusters)[:k],
        "lab": rng.integers(0, 5, k),
        "x": rng.normal(size=k),
    }
    return EffectSizes(effect=y, variance=v), data


def dense(es: EffectSizes, x: np.ndarray, m: np.ndarray, restricted: bool) -> tuple[float, np.ndarray, np.ndarray]:
    """The slow twin: log-likelihood, coefficients and covariance from the whole matrix."""
    w = np.linalg.inv(m)
    c = np.linalg.inv(x.T @ w @ x)
    b = c @ x.T @ w @ es.effect
    e = es.effect - x @ b
    k, p = x.shape
    height = np.linalg.slogdet(m)[1] + e @ w @ e
    if restricted:
        height += np.linalg.slogdet(x.T @ w @ x)[1] - np.linalg.slogdet(x.T @ x)[1]
    return -0.5 * (height + (k - p * restricted) * np.log(2 * np.pi)), b, c


def marginal(fit: Multilevel) -> np.ndarray:
    rows = np.arange(fit.k)[None, :]
    m = np.diag(fit.effects.variance) if fit.problem.sampling is None else fit.problem.sampling.copy()
    at = 0
    for term in fit.terms:
        n = len(term.structure.names)
        m = m + term.structure.values(fit.parameters[at : at + n])[term.term.slots(rows)[0]]
        at += n
    return m


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize(
    "options",
    [
        {"random": "study/effect"},
        {"random": "study/paper/effect"},
        {"random": ["study", "lab"]},
        {"random": "study"},
        {"random": "outcome | study", "structure": "HCS"},
        {"random": ["outcome | study", "effect"], "structure": "CS"},
        {"random": "time | study", "structure": "CAR"},
        {"random": "time | study", "structure": "AR"},
    ],
    ids=str,
)
def test_the_fit_equals_dense_algebra_at_a_maximum(options: dict[str, Any], method: str) -> None:
    es, data = example()
    fit = multilevel(es, {"x": data["x"]}, data=data, method=method, **options)
    height, b, c = dense(es, fit.design.matrix, marginal(fit), method == "REML")
    assert fit.log_likelihood == pytest.approx(height, abs=1e-9)
    assert fit.beta == pytest.approx(b, abs=1e-10)
    assert fit.covariance == pytest.approx(c, abs=1e-10)
    assert fit.residual < 1e-6
    for i, bound in enumerate(fit.at_bound):
        if bound:
            continue
        for step in (-1e-4, 1e-4):
            moved = fit.parameters.copy()
            moved[i] += step
            model = fit.problem.model(es.effect - fit.design.matrix @ fit.solution.centre, 1.0)
            assert fit.problem.fit(model, moved).log_likelihood < fit.log_likelihood


@pytest.mark.parametrize("restricted", [True, False])
def test_nested_and_block_likelihoods_and_slopes_agree(restricted: bool) -> None:
    es, data = example()
    k = len(es)
    x = np.column_stack([np.ones(k), data["x"]])
    groups = [grouping("study", data["study"]), grouping("paper", data["paper"]), grouping("effect", np.arange(k))]
    terms = [t.term for t in random_terms("study/paper/effect", None, None, es, data)]
    order = nesting(groups)
    assert order == [0, 1, 2]
    a = Nested(es.effect, es.variance, x, groups, order)
    b = Blocks(es.effect, es.variance, None, x, terms, connected(k, [g.codes for g in groups], None))
    at = np.array([0.2, 0.05, 0.1])
    one, two = a.evaluate(at, restricted), b.evaluate(at, restricted)
    assert one[0] == pytest.approx(two[0], rel=1e-12)
    assert one[1] == pytest.approx(two[1], rel=1e-9)
    for i in range(3):
        step = np.eye(3)[i] * 1e-5
        up, down = b.evaluate(at + step, restricted), b.evaluate(at - step, restricted)
        assert (up[0] - down[0]) / 2e-5 == pytest.approx(two[1][i], rel=1e-5, abs=1e-5)
        assert (up[1] - down[1]) / 2e-5 == pytest.approx(two[2][i], rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("kind", BY_LEVEL)
def test_structures_have_the_slopes_they_say(kind: str) -> None:
    s = BY_LEVEL[kind](3, 3)
    at = s.starts[0] * 1.1 + 0.05
    for i, row in enumerate(s.jacobian(at)):
        step = np.eye(len(at))[i] * 1e-6
        assert (s.values(at + step) - s.values(at - step)) / 2e-6 == pytest.approx(row, abs=1e-8)


@pytest.mark.parametrize("pairs", [[], [(0, 1), (1, 2)], [(0, 1), (2, 3)], [(0, 1), (1, 2), (2, 3)], [(1, 3)]], ids=str)
def test_a_matrix_in_parts_has_the_slopes_and_correlations_it_says(pairs: list[tuple[int, int]]) -> None:
    s = unstructured_in_parts(4, pairs)
    at = np.array([0.7, 1.3, 0.9, 2.0, 0.4, -0.8, 1.1, 0.6, -0.3, 0.9])
    for i, row in enumerate(s.jacobian(at)):
        moved = at + 1e-40j * np.eye(10)[i]
        assert np.imag(s.values(moved)) / 1e-40 == pytest.approx(row, abs=1e-14)
    g = s.values(at)[1:].reshape(4, 4)
    assert np.linalg.eigvalsh(g)[0] > 0.0 and np.diag(g) == pytest.approx(at[:4] ** 2, rel=1e-14)
    for i, j in pairs:
        angle = at[s.names.index(f"rho[{i + 1},{j + 1}]")]
        assert g[i, j] == pytest.approx(np.sin(angle) * at[i] * at[j], rel=1e-13)
    for start, rho in zip(s.starts, (0.3, 0.8), strict=True):
        assert s.reported(start)[1] == pytest.approx(np.full(6, rho), rel=1e-12)


def test_none_means_no_moderators() -> None:
    es = EffectSizes(effect=[0.1, 0.5, 0.2, 0.9, -0.1], variance=[0.02, 0.05, 0.03, 0.04, 0.02])
    assert multilevel(es, None, random="effect").beta == pytest.approx(multilevel(es, random="effect").beta)
    assert meta_regression(es, None).design.names == ("intercept",)
    with pytest.raises(InputError, match="columns or a mapping of name to numbers; got 3"):
        meta_regression(es, 3)


def test_one_effect_a_study_is_the_ordinary_random_effects_model() -> None:
    es = EffectSizes(effect=[0.1, 0.5, 0.2, 0.9, -0.1], variance=[0.02, 0.05, 0.03, 0.04, 0.02])
    fit, plain = multilevel(es, random="effect", inference="wald"), pool(es, inference="wald")
    assert fit.sigma2[0] == pytest.approx(plain.tau2, rel=1e-7)
    assert (fit.estimate, float(fit.se[0])) == pytest.approx((plain.estimate, plain.se), rel=1e-8)


@pytest.mark.parametrize("unit", [1e-8, 1e-3, 1e5, 1e8])
@pytest.mark.parametrize(
    "options", [{"random": "study/effect"}, {"random": "outcome | study", "structure": "UN"}], ids=["nested", "UN"]
)
def test_the_unit_and_the_origin_do_not_matter(options: dict[str, Any], unit: float) -> None:
    es, data = example()
    keep = np.isin(data["outcome"], ["a", "b"])
    es, data = es[keep], {n: v[keep] for n, v in data.items()}
    moved = EffectSizes(effect=(es.effect + 7.0) * unit, variance=es.variance * unit**2)
    one, two = multilevel(es, data=data, **options), multilevel(moved, data=data, **options)
    assert two.estimate == pytest.approx((one.estimate + 7.0) * unit, rel=1e-8)
    assert two.se / unit == pytest.approx(one.se, rel=1e-6)
    assert np.append(two.sigma2, two.tau2) / unit**2 == pytest.approx(np.append(one.sigma2, one.tau2), abs=1e-7)


def test_nesting_written_in_three_ways() -> None:
    es, data = example()
    fits = [
        multilevel(es, random=r, data=data) for r in ("study/paper", ["study", "study/paper"], ["study", "study:paper"])
    ]
    assert len({f.log_likelihood for f in fits}) == 1
    assert [c.name for c in fits[0].components] == ["study", "study/paper"]


def test_predicted_effects_equal_dense_algebra() -> None:
    es, data = example()
    fit = multilevel(es, random="study/effect", data=data)
    u = fit.random_effects()["study"]
    z = (data["study"][:, None] == np.array(u.labels)[None, :]).astype(float)
    w = np.linalg.inv(marginal(fit))
    x = fit.design.matrix
    p = w - w @ x @ fit.covariance @ x.T @ w
    s = fit.sigma2[0]
    assert u.estimate == pytest.approx(s * z.T @ p @ es.effect, abs=1e-10)
    assert u.se**2 == pytest.approx(s - s**2 * np.diag(z.T @ p @ z), abs=1e-10)


def test_prediction_intervals_name_the_level_they_are_for() -> None:
    es, data = example()
    fit = multilevel(es, random="outcome | study", structure="DIAG", data=data)
    assert np.isnan(fit.prediction_interval.low)
    at = fit.predict(np.empty((1, 0)), at="b")[0].prediction_interval
    assert (at.high - at.low) / 2 > fit.interval.high - fit.estimate
    with pytest.raises(InputError, match="at must be a level"):
        fit.predict(np.empty((1, 0)), at="z")
    with pytest.raises(InputError, match="no effect"):
        multilevel(es, random="study", data=data).predict(np.empty((1, 0)), at="b")


def test_a_likelihood_ratio_of_nested_models() -> None:
    es, data = example()
    big, small = (multilevel(es, random=r, data=data) for r in ("study/effect", "effect"))
    test = big.compare(small)
    assert test.df == 1
    assert test.statistic == pytest.approx(2 * (big.log_likelihood - small.log_likelihood))
    with pytest.raises(InputError, match="fewer parameters"):
        small.compare(big)
    with pytest.raises(InputError, match="maximum likelihood"):
        multilevel(es, {"x": data["x"]}, random="study", data=data).compare(small)


def test_the_profile_peaks_at_the_estimate() -> None:
    es, data = example()
    fit = multilevel(es, random="study/effect", data=data)
    s = float(fit.sigma2[0])
    heights = fit.profile("study", [0.5 * s, s, 2 * s]).log_likelihood
    assert heights[1] == pytest.approx(fit.log_likelihood, abs=1e-8)
    assert heights[1] > max(heights[0], heights[2])
    ends = fit.component_interval("study")
    drop = fit.log_likelihood - fit.profile("study", [ends.low, ends.high]).log_likelihood
    assert drop[1] == pytest.approx(1.920729, abs=1e-5)


def slow_robust(fit: Multilevel, cluster: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Loops over clusters with the formulas as printed (Pustejovsky & Tipton 2018), W = Phi⁻¹."""
    x, phi = fit.design.matrix, marginal(fit)
    w = np.linalg.inv(phi)
    bread = np.linalg.inv(x.T @ w @ x)
    residual_maker = np.eye(len(x)) - x @ bread @ x.T @ w
    e = fit.effects.effect - x @ fit.beta
    v, rows = np.zeros_like(bread), []
    for c in np.unique(cluster):
        i = np.flatnonzero(cluster == c)
        block = np.ix_(i, i)
        adjustment = np.eye(len(i))
        if kind == "CR2":
            d = np.linalg.cholesky(phi[block]).T
            inside = d @ (residual_maker @ phi @ residual_maker.T)[block] @ d.T
            roots, basis = np.linalg.eigh(inside)
            adjustment = d.T @ basis @ np.diag(roots**-0.5) @ basis.T @ d
        elif kind == "CR3":
            adjustment = np.linalg.inv(residual_maker[block])
        g = bread @ x[i].T @ w[block] @ adjustment
        v += g @ np.outer(e[i], e[i]) @ g.T
        rows.append(g @ residual_maker[i])
    df = []
    for j in range(x.shape[1]):
        p = np.array([r[j] for r in rows])
        moments = p @ phi @ p.T
        df.append(np.trace(moments) ** 2 / np.sum(moments**2))
    return v, np.array(df)


@pytest.mark.parametrize("kind", ["CR0", "CR2", "CR3"])
def test_robust_inference_equals_loops_over_clusters(kind: str) -> None:
    es, data = example()
    v = sampling_covariance(es, "study", data=data, correlation=0.4)
    fit = multilevel(es, {"x": data["x"]}, random="study/effect", data=data, V=v)
    found = robust(fit, "study", data=data, kind=kind)
    covariance, df = slow_robust(fit, data["study"], kind)
    assert found.covariance == pytest.approx(covariance, rel=1e-9)
    assert found.df == pytest.approx(df, rel=1e-8)
    joint, single = found.test("x"), found["x"]
    assert (joint.statistic, joint.df2) == pytest.approx((single.statistic**2, single.df), rel=1e-8)


def test_robust_inference_after_pooling_and_regression() -> None:
    es, data = example()
    alone = robust(pool(es), data["study"])
    fit = robust(multilevel(es, random="effect"), data["study"])
    assert alone.se == pytest.approx(fit.se, rel=1e-6)
    slope = robust(meta_regression(es, {"x": data["x"]}), data["study"])
    assert slope.df == pytest.approx(
        robust(multilevel(es, {"x": data["x"]}, random="effect"), data["study"]).df, rel=1e-5
    )
    assert set(KINDS) == {"CR0", "CR1", "CR1p", "CR1S", "CR2", "CR3"}


def test_moments_of_hierarchical_weights_are_unbiased() -> None:
    """The expectations that the moment equations solve, against traces of whole matrices."""
    es, data = example()
    ce = correlated_effects(es, {"x": data["x"]}, cluster="study", data=data, weights="hierarchical")
    k, x, v = len(es), np.column_stack([np.ones(len(es)), data["x"]]), es.variance
    j = (data["study"][:, None] == data["study"][None, :]).astype(float)
    w = np.diag(1 / v)
    p = w - w @ x @ np.linalg.inv(x.T @ w @ x) @ x.T @ w
    r = np.diag(v) @ p
    e = r @ es.effect
    left = np.array([[np.trace(p @ j), np.trace(p)], [np.trace(r.T @ j @ r @ j), np.trace(r.T @ j @ r)]])
    right = [e @ w @ e - (k - 2), e @ j @ e - np.trace(r.T @ j @ r @ np.diag(v))]
    tau2, omega2 = np.linalg.solve(left, right)
    assert (ce.tau2, ce.omega2) == pytest.approx((tau2, omega2), rel=1e-9)


def test_covariances_of_shared_people() -> None:
    es = EffectSizes(effect=[0.1, 0.2, 0.3, 0.4], variance=[0.04, 0.09, 0.01, 0.04], study=["s", "s", "s", "t"])
    outcome, time = ["pain", "pain", "mood", "pain"], [1.0, 2.0, 1.0, 1.0]
    v = sampling_covariance(es, outcome=outcome, outcome_correlation=0.5, time=time, autocorrelation=0.8)
    assert v[0, 1] == pytest.approx(0.8 * 0.06)
    assert v[0, 2] == pytest.approx(0.5 * 0.02)
    assert v[1, 2] == pytest.approx(0.4 * 0.03)
    assert np.all(v[3, :3] == 0.0)
    # the correlation of two contrasts with one control group is the share of the control in both variances
    arms = {"group_1": ["lo", "hi"], "group_2": ["c", "c"], "n_1": [30, 30], "n_2": [60, 60]}
    assert sampling_covariance(es[:2], **arms)[0, 1] == pytest.approx((1 / 60) / (1 / 30 + 1 / 60) * 0.06)
    turned = arms | {"group_1": ["lo", "c"], "group_2": ["c", "hi"], "n_1": [30, 60], "n_2": [60, 30]}
    assert sampling_covariance(es[:2], **turned)[0, 1] == pytest.approx(-(1 / 60) / (1 / 30 + 1 / 60) * 0.06)
    # lo - c, hi - c and hi - lo: the third follows from the first two
    loop = {"group_1": ["lo", "hi", "hi"], "group_2": ["c", "c", "lo"], "n_1": 30, "n_2": [60, 60, 30]}
    with pytest.raises(InputError, match="not possible together"):
        sampling_covariance(es[:3], **loop)


ES, DATA = example()
V_WRONG = np.diag(ES.variance)
V_WRONG[0, 1] = 0.01
V_HIGH = np.diag(ES.variance)
V_HIGH[0, 1] = V_HIGH[1, 0] = 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"V": V_WRONG}, "not symmetric: row 1, column 2"),
        ({"V": V_HIGH}, "not positive definite"),
        ({"V": np.eye(3)}, r"shape \(46, 46\)"),
        ({"V": np.diag(ES.variance[::-1])}, "order of the effects"),
        ({"V": "V.csv"}, "matrix of numbers"),
        ({"V": [np.eye(2)]}, "fill 2 rows"),
        ({"V": np.full((46, 46), np.nan)}, "row 1, column 1"),
        ({"random": "school"}, "no column 'school'"),
        ({"random": "blank"}, "row 3, column blank: the label is missing"),
        ({"random": "one"}, "one level only"),
        ({"random": ["effect", "twin"]}, "cannot be told apart"),
        ({"random": ["outcome | study", "study", "effect"], "structure": "CS"}, "cannot be told apart"),
        ({"random": "outcome | study"}, "needs structure="),
        ({"random": "study", "structure": "CS"}, "random has none"),
        ({"random": "outcome | study", "structure": "XX"}, "structure must be one of"),
        ({"random": "one | study", "structure": "CS"}, "at least two"),
        ({"random": "outcome | one", "structure": "CS"}, "one level only"),
        ({"random": "apart | study", "structure": "UN"}, "'p' and 'r' never occur in the same study"),
        ({"random": "a | b | c", "structure": "CS"}, "inner | outer"),
        ({"random": "study//effect"}, "no name"),
        ({"random": [3]}, "must name groupings"),
        ({"random": "outcome | study", "structure": "CAR"}, "needs numbers in column outcome"),
        ({"random": "time + x | study", "structure": "CAR"}, "one column of times"),
        ({"random": "study", "correlation": {"lab": ([0], [[1]])}}, "no intercept of that name"),
        ({"random": "lab", "correlation": {"lab": ([0, 1], np.eye(2))}}, "lacks the level"),
        ({"random": "lab", "correlation": {"lab": (range(5), np.eye(5) * 2)}}, "ones on its diagonal"),
        ({"method": "PM"}, "method must be one of"),
        ({"method": "MM"}, "needs one random term"),
        ({"method": "VC", "random": "outcome | study", "structure": "UN"}, "one effect for each level"),
        ({"inference": "z"}, "inference must be one of"),
        ({"level": 95}, "level must lie between"),
        ({"moderators": 3}, "must be a formula, columns or a mapping of name to numbers; got 3"),
    ],
    ids=lambda v: None if isinstance(v, str) else " ".join(map(str, v.values()))[:40].replace("\n", " "),
)
def test_bad_input_is_one_clear_error(options: dict[str, Any], said: str) -> None:
    blank: list[Any] = [str(s) for s in DATA["study"]]
    blank[2] = None
    apart = [("pq" if s < 6 else "rs")[i % 2] for i, s in enumerate(DATA["study"])]
    data = DATA | {"apart": apart, "blank": blank, "one": ["x"] * len(ES), "twin": [f"t{i}" for i in range(len(ES))]}
    with pytest.raises(InputError, match=said):
        multilevel(ES, data=data, **({"random": "study"} | options))


def test_too_many_parameters_and_containment_without_levels() -> None:
    es = EffectSizes(effect=[0.1, 0.2, 0.4], variance=[0.1] * 3, study=["a", "a", "b"])
    with pytest.raises(InputError, match="cannot be estimated from 3 effects"):
        multilevel(es, {"x": [1.0, 2.0, 4.0]}, random="study/effect")
    half, study = ES[:8], DATA["study"][:8]
    with pytest.raises(InputError, match="no degrees of freedom"):
        multilevel(half, {"x": np.arange(8.0)}, random="s", data={"s": study}, inference="t-containment")
    with pytest.raises(InputError, match="the moderators fix the mean of every level"):
        multilevel(half, {"x": study * 1.0}, random="s", data={"s": study})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cluster": ["a"] * 46}, "one cluster only"),
        ({"cluster": ["a"] * 3}, "3 labels"),
        ({"cluster": [None, *["a", "b"] * 22, "b"]}, "label is missing"),
        ({"cluster": DATA["paper"]}, "splits effects that the model connects"),
        ({"kind": "HC3"}, "kind must be one of"),
        ({"degrees": "z"}, "degrees must be one of"),
        ({"level": 2.0}, "level must lie"),
    ],
)
def test_bad_clusters_are_one_clear_error(options: dict[str, Any], said: str) -> None:
    fit = multilevel(ES, random="study", data=DATA)
    with pytest.raises(InputError, match=said):
        robust(fit, **({"cluster": DATA["study"]} | options))
    with pytest.raises(InputError, match="takes a result of"):
        robust(ES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "rows 1 and 2 are alike"),
        ({"correlation": 1.2}, "must lie between"),
        ({"correlation": -0.9}, "not possible together"),
        ({"outcome": "outcome"}, "needs outcome_correlation="),
        ({"outcome_correlation": 0.5}, "needs outcome="),
        ({"time": "time"}, "needs autocorrelation="),
        ({"time": "time", "autocorrelation": 0.5, "correlation": 0.3}, "has no effect"),
        ({"group_1": "outcome"}, "group_2 is missing"),
    ],
)
def test_bad_covariances_are_one_clear_error(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        sampling_covariance(ES, "study", data=DATA, **options)


def test_labels_of_combinations_and_every_structure_has_words() -> None:
    pair = crossed([grouping("a", ["x", "x", "y"]), grouping("b", [2, 1, 2])])
    assert pair.labels == (("x", 1), ("x", 2), ("y", 2)) and pair.name == "a/b"
    assert set(BY_LEVEL) < set(STRUCTURES)


def test_a_readable_summary() -> None:
    fit = multilevel(ES, random="outcome | study", structure="CS", data=DATA)
    assert "Variance between 12 levels of outcome | study, CS: 0." in repr(fit) and "; correlation " in repr(fit)
    assert "CR2" in repr(robust(fit, DATA["study"]))
    assert fit.to_dict()["components"][0]["levels"] == 12


def test_words_and_plot_of_a_multilevel_fit() -> None:
    fit = multilevel(ES, random="study/effect", data=DATA)
    said = fit.sentence()
    assert said.startswith("Across 46 effects in 12 levels of study, the pooled generic effect was 0.")
    assert "3-level model, REML, df 45; P " in said and "prediction interval for a true effect in a new cluster" in said
    assert "random intercepts of study (12 levels)" in fit.methods()
    assert fit._repr_html_().startswith("<div><table><caption>Generic effect: 3-level model, REML")
    figure = fit.forest()
    assert figure.description.startswith("Generic effect of 46 effects in 12 clusters: mean 0.")
    assert "Variance between levels of study: 0." in figure.svg and "Mean (95% CI)" in figure.svg
    with pytest.raises(InputError, match="sort does not apply to a forest plot of a multilevel model"):
        fit.forest(sort="effect")
    sloped = multilevel(ES, {"x": DATA["x"]}, random="study", data=DATA)
    assert "x 0" in sloped.sentence().replace("-", "") and "Moderators were x" in sloped.methods()
    with pytest.raises(InputError, match="ask for one by name"):
        sloped.forest()
    found = robust(fit, "study", data=DATA)
    assert "cluster-robust, CR2, df " in found.sentence() and "(CR2; Pustejovsky" in found.methods()
    ratio = EffectSizes(ES.effect, ES.variance, measure="OR")
    assert "As odds ratio: 1." in repr(multilevel(ratio, random="study", data=DATA))


def test_weights_of_a_multilevel_mean() -> None:
    for options in ({"random": "study/effect"}, {"random": None}, {"random": ["study", "lab"]}):
        fit = multilevel(ES, data=DATA, **options)
        assert float(fit.weights @ ES.effect) / 100.0 == pytest.approx(fit.estimate, rel=1e-10)
        assert float(np.sum(fit.weights)) == pytest.approx(100.0)
    with pytest.raises(InputError, match="coefficients"):
        _ = multilevel(ES, {"x": DATA["x"]}, random="study", data=DATA).weights


def test_containment_counts_the_levels_within():
    """R 4.2.2, metafor 3.8-1: ``rma.mv(yi, vi, mods=~group, random=list(~group|trial, ~group|alloc), struct="CS",
    test="t", dfs="contain")``: ddf are levels less coefficients of the coarsest term in which a moderator is constant.
    """
    trial, group = np.repeat(np.arange(8), 2), np.tile([0.0, 1.0], 8)
    alloc = np.repeat([0, 0, 0, 1, 1, 1, 2, 2], 2)
    es = EffectSizes(effect=np.sin(np.arange(16.0)), variance=np.linspace(0.05, 0.2, 16))
    fit = multilevel(
        es,
        {"group": group},
        random=["group | trial", "group | alloc"],
        structure=["CS", "CS"],
        data={"trial": trial, "alloc": alloc, "group": group},
        inference="t-containment",
    )
    assert fit.df.tolist() == [1.0, 4.0]


def test_a_variance_that_grows_without_end_is_refused_in_words(monkeypatch):
    def fails(*_):
        raise np.linalg.LinAlgError("Matrix is not positive definite")

    monkeypatch.setattr("balm.stats.multilevel.likelihood.Problem.fit", fails)
    es = EffectSizes(effect=np.sin(np.arange(8.0)), variance=np.full(8, 0.1), study=list("aabbccdd"))
    with pytest.raises(InputError, match="cannot be estimated"):
        multilevel(es, random="study")


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize(
    ("random", "variances"),
    [
        (["lab", "study"], [0.3, 0.05]),
        (["lab", "study", "effect"], [0.3, 0.05, 0.02]),
        (["lab", "effect", "study", "turn"], [0.0, 0.1, 1e3, 1e-6]),
        (["lab", "study"], [1e7, 1e5]),
        (["lab", "study", "effect"], [0.0, 0.0, 0.0]),
    ],
    ids=["two", "own", "far apart", "dwarfing", "none"],
)
def test_crossed_intercepts_by_levels_are_those_by_effects(
    random: list[str], variances: list[float], restricted: bool
) -> None:
    """Height, slope and curvature from matrices over levels against the same from matrices over effects."""
    es, data = example(clusters=20)
    k = len(es)
    terms = random_terms(random, None, None, es, data | {"turn": np.arange(k) % 7})
    x = np.column_stack([np.ones(k), data["x"]])
    groups = [t.groups for t in terms]
    block = connected(k, [g.codes for g in groups], None)
    by_effects = Blocks(es.effect, es.variance, None, x, [t.term for t in terms], block)
    by_levels = Crossing(es.effect, es.variance, x, groups, lambda: by_effects)
    assert by_levels.dwarfs(np.array(variances)) is (max(variances) > 1e4)
    assert worth_crossing(groups, block)
    got, want = (m.evaluate(np.array(variances), restricted) for m in (by_levels, by_effects))
    assert got[0] == pytest.approx(want[0], rel=1e-9)
    for mine, theirs in zip(got[1:], want[1:], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-7, abs=1e-9 * float(np.abs(theirs).max()))
    same = [(g.codes[:, None] == g.codes).astype(float) for g in groups]
    assert by_levels.likeness() == pytest.approx(np.array([[np.sum(a * b) for b in same] for a in same]))
