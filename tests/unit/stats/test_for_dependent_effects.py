"""The nearest covariance matrix, contrasts as columns, and effects drawn from a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import balm
from balm.vocabulary.problems import InputError

#: Correlations that contradict each other, and the nearest possible ones: R's Matrix 1.5-3,
#: nearPD(x, corr=TRUE, eig.tol=1e-12, posd.tol=1e-12, conv.tol=1e-14, conv.norm.type="M",
#: maxit=1e5).
APART = [[1.0, 0.9, 0.2, -0.6], [0.9, 1.0, 0.8, 0.1], [0.2, 0.8, 1.0, 0.7], [-0.6, 0.1, 0.7, 1.0]]
NEAREST = [
    [1.0, 0.79864823440, 0.2199402893, -0.55024995688],
    [0.79864823440, 1.0, 0.7627170321, 0.06304528241],
    [0.2199402893, 0.7627170321, 1.0, 0.6935314922],
    [-0.55024995688, 0.06304528241, 0.6935314922, 1.0],
]


def test_the_nearest_covariance_keeps_the_variances() -> None:
    sd = np.array([1.0, 0.3, 2.0, 5.0])
    found = balm.nearest_covariance(np.array(APART) * np.outer(sd, sd))
    assert np.diag(found) == pytest.approx(sd**2, rel=1e-15)
    assert found / np.outer(sd, sd) == pytest.approx(np.array(NEAREST), abs=1e-6)
    assert np.linalg.eigvalsh(found)[0] > 0.0 and np.array_equal(found, found.T)
    again = balm.nearest_covariance(found)
    assert again == pytest.approx(found, abs=1e-6)


def test_a_possible_matrix_comes_back_as_it_is() -> None:
    v = [[0.04, 0.03], [0.03, 0.09]]
    assert balm.nearest_covariance(v).tolist() == v


@pytest.mark.parametrize(
    ("v", "said"),
    [
        ([[1, 2]], "square matrix"),
        ([[1, 0.5], [0.2, 1]], "not symmetric"),
        ([[1, 0], [0, 0]], "row 2: the variance must be above 0"),
        ("V", "square matrix of numbers"),
    ],
)
def test_what_is_no_covariance_is_refused(v: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.nearest_covariance(v)


def test_contrasts_of_a_network_are_its_regression() -> None:
    """Two-arm trials: the regression on the columns is the network's common-effect model."""
    a = ["A", "B", "B", "C", "C", "A"]
    b = ["P", "P", "A", "P", "A", "P"]
    es = balm.EffectSizes(effect=[0.3, 0.5, 0.1, -0.2, -0.4, 0.2], variance=[0.04, 0.05, 0.06, 0.03, 0.05, 0.02])
    columns = balm.contrast_matrix(a, b, reference="P")
    assert list(columns) == ["A", "B", "C"] and columns["A"].tolist() == [1, 0, -1, 0, -1, 1]
    fit = balm.meta_regression(es, columns, intercept=False, model="common", inference="wald")
    x = np.column_stack(list(columns.values()))
    w = np.diag(1 / es.variance)
    assert fit.beta == pytest.approx(np.linalg.solve(x.T @ w @ x, x.T @ w @ es.effect), rel=1e-12)
    assert balm.contrast_matrix("t", "c", data={"t": a, "c": b})["P"].tolist() == [-1, -1, 0, -1, 0, -1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((["A"], ["A"]), "row 1: both groups are 'A'"),
        ((["A"], ["B", "C"]), "group_1 has 1 labels and group_2 2"),
        (("t", ["B"]), "group_1: no column 't'"),
        ((["A"], [None]), "the label is missing"),
    ],
)
def test_contrasts_refused(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.contrast_matrix(*given)
    with pytest.raises(InputError, match="reference must be one of"):
        balm.contrast_matrix(["A"], ["B"], reference="C")


def dependent() -> tuple[balm.EffectSizes, dict[str, list[Any]]]:
    es = balm.EffectSizes(effect=np.sin(np.arange(12.0)), variance=[0.05, 0.1, 0.2] * 4)
    return es, {"study": [i // 3 for i in range(12)], "outcome": ["p", "q", "r"] * 4}


@pytest.mark.parametrize(
    "model",
    [
        {"random": "study/effect"},
        {"random": ["study", "outcome"]},
        {"random": "outcome | study", "structure": "HCS"},
        {"random": "study", "correlation": {"study": (range(4), 0.5 * np.eye(4) + 0.5)}},
    ],
    ids=["nested", "crossed", "structured", "correlated"],
)
@pytest.mark.parametrize("v", [None, 0.4])
def test_drawn_effects_have_the_covariance_of_the_model(model: dict[str, Any], v: float | None) -> None:
    """Of 40,000 draws, within five standard errors of each entry."""
    es, data = dependent()
    known = None if v is None else balm.sampling_covariance(es, data["study"], correlation=v)
    fit = balm.multilevel(es, V=known, data=data, **model)
    drawn = balm.simulate_effects(fit, 40_000, seed=1)
    want = dense(fit, model, data, np.diag(es.variance) if known is None else known)
    scale = np.sqrt((np.outer(np.diag(want), np.diag(want)) + want**2) / 40_000)
    assert np.all(np.abs(np.cov(drawn.T) - want) < 5 * scale)
    assert np.all(np.abs(drawn.mean(axis=0) - fit.fitted) < 5 * np.sqrt(np.diag(want) / 40_000))


def dense(fit: Any, model: dict[str, Any], data: dict[str, list[Any]], errors: Any) -> Any:
    """The covariance of the effects, entry by entry."""
    out = errors.copy()
    study, outcome = data["study"], data["outcome"]
    level = {"p": 0, "q": 1, "r": 2}
    for i in range(12):
        for j in range(12):
            if model["random"] == "study/effect":
                out[i, j] += fit.sigma2[0] * (study[i] == study[j]) + fit.sigma2[1] * (i == j)
            elif "structure" in model:
                out[i, j] += fit.components[0].covariance[level[outcome[i]], level[outcome[j]]] * (study[i] == study[j])
            elif "correlation" in model:
                out[i, j] += fit.sigma2[0] * (1.0 if study[i] == study[j] else 0.5)
            else:
                out[i, j] += fit.sigma2[0] * (study[i] == study[j]) + fit.sigma2[1] * (outcome[i] == outcome[j])
    return out


def test_draws_of_a_regression_repeat_with_their_seed() -> None:
    es, _ = dependent()
    fit = balm.meta_regression(es, {"x": np.arange(12.0)}, tau2=0.3)
    one, other = (balm.simulate_effects(fit, 5000, seed=7) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.var(axis=0) == pytest.approx(es.variance + 0.3, rel=0.1)
    with pytest.raises(InputError, match="simulate_effects takes a fit"):
        balm.simulate_effects(es)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="n must be a whole number"):
        balm.simulate_effects(fit, 0)
