"""Weights of one's own, known matrices on any scale, standard errors of variances, correlations that share no level.

metafor 3.8-1 calls them ``W``, ``Rscale``, ``cvvc`` and ``rho``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.cluster_robust import robust
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel
from balm.vocabulary.problems import InputError
from tests.unit.stats.test_multilevel import marginal
from tests.unit.stats.test_multilevel_fixed import BLOCKS, TERM, Y, periodontal
from tests.worked_examples.test_konstantopoulos2011 import schools

#: The reference's optimiser stops about here.
AS_METAFOR = 2e-6


def weighted(weights: Any, year: bool = False, **options: Any) -> Multilevel:
    es, data = schools()
    x = {"year": np.array(data["year"], dtype=float)} if year else None
    return multilevel(es, x, random="district/effect", data=data, weights=weights, **options)


def test_weights_as_metafor() -> None:
    """rma.mv(yi, vi, W=1 | 1/vi, mods=~1 | ~year, random=~1|district/school, data=dat.konstantopoulos2011)."""
    same = weighted("equal")
    got = [*same.sigma2, *same.beta, *same.se, same.qe, same.log_likelihood, same.fit_statistics["ML"]["aic"]]
    want = [0.0650619442753, 0.0327365170279, 0.12, 0.0904787327451, 578.8640179582234, -8.2515888787, 23.42572210809]
    assert got == pytest.approx(want, rel=AS_METAFOR)
    slope = weighted(1 / schools()[0].variance, True)
    got = [*slope.beta, *slope.se, *slope.p, slope.omnibus.statistic, slope.log_likelihood]
    want = [12.94692519557633, -0.00647019844126, 27.53521129971128, 0.01387051880034, 0.64010905558551, 0.64275465356]
    assert got == pytest.approx([*want, 0.21759542041553, -8.92240150462], rel=AS_METAFOR)
    ml = weighted(1 / schools()[0].variance, True, method="ML", inference="wald")
    want = [-0.706085601634, -0.788713874447, 0.133621737644, -0.904986787706]
    assert ml.residuals().standardised[:4] == pytest.approx(want, rel=AS_METAFOR)
    at = ml.predict({"year": [2000]})[0]
    found = [at.estimate, at.se, at.prediction_interval.low, at.prediction_interval.high]
    assert found == pytest.approx([0.0065, 0.2259, -0.7280, 0.7410], abs=5e-5)


@pytest.mark.parametrize("full", [False, True])
def test_weights_by_the_whole_matrix(full: bool) -> None:
    es = EffectSizes(effect=Y, variance=[b[i][i] for b in BLOCKS for i in (0, 1)])
    data = {"outcome": [0, 1] * 5, "trial": np.repeat(range(5), 2).tolist()}
    w: Any = np.linspace(1.0, 3.0, 10)
    if full:
        root = np.random.default_rng(2).normal(size=(10, 14))
        w = root @ root.T
    x = np.column_stack([np.ones(10), np.linspace(-1.0, 1.0, 10) ** 2])
    fit = multilevel(es, {"x": x[:, 1]}, random=TERM, structure="HCS", V=BLOCKS, data=data, weights=w)
    free = multilevel(es, {"x": x[:, 1]}, random=TERM, structure="HCS", V=BLOCKS, data=data)
    dense, m = w if full else np.diag(w), marginal(fit)
    a = np.linalg.solve(x.T @ dense @ x, x.T @ dense)
    assert fit.beta == pytest.approx(a @ es.effect, rel=1e-11)
    assert fit.covariance == pytest.approx(a @ m @ a.T, rel=1e-11)
    hat = np.eye(10) - x @ a
    assert fit.residuals().se == pytest.approx(np.sqrt(np.diag(hat @ m @ hat.T)), rel=1e-9)
    assert np.array_equal(fit.parameters, free.parameters) and fit.log_likelihood < free.log_likelihood
    best = multilevel(es, {"x": x[:, 1]}, random=TERM, structure="HCS", V=BLOCKS, data=data, weights=np.linalg.inv(m))
    assert [*best.beta, *best.se, best.log_likelihood] == pytest.approx([*free.beta, *free.se, free.log_likelihood])


def test_equal_weights_are_the_plain_mean_and_say_so() -> None:
    fit = weighted("equal")
    assert fit.estimate == pytest.approx(float(np.mean(schools()[0].effect)), rel=1e-13)
    assert fit.weights == pytest.approx(np.full(56, 100 / 56), rel=1e-12)
    assert "under weights given in advance" in fit.methods() and fit.conventions["weights"] == "own"
    for ask in (
        fit.random_effects,
        lambda: fit.compare(weighted(None)),
        lambda: robust(fit, "district", data=schools()[1]),
        lambda: fit.without_clusters("district", data=schools()[1]),
    ):
        with pytest.raises(InputError, match="not defined for weights of your own"):
            ask()


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("optimal", "weights must be 'equal'"),
        ([1.0, 2.0], r"one number an effect \(56\)"),
        ([-1.0] + [1.0] * 55, "weight -1 is not a positive number"),
        (np.triu(np.ones((56, 56))), "not symmetric"),
        (np.zeros((56, 56)), "without any effect"),
        ({"a": 1}, "must be numbers"),
    ],
    ids=["word", "few", "negative", "skew", "zero", "mapping"],
)
def test_weights_that_cannot_be_used(weights: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        weighted(weights)


def test_errors_of_variances_as_metafor() -> None:
    """rma.mv(..., cvvc=TRUE)$vvc: the inverse of its numerical Hessian."""
    plain = weighted(None).component_covariance
    assert plain[np.triu_indices(2)] == pytest.approx([1.26097610e-3, -4.62964796e-5, 1.23036140e-4], rel=AS_METAFOR)
    un = periodontal("UN", None, "ML").component_covariance
    want = [3.14742371145e-4, 4.50317324579e-5, 2.32131549327e-3, 8.18984680125e-5, -3.85779078550e-4, 0.19880843652260]
    assert un[np.triu_indices(3)] == pytest.approx(want, rel=1e-4)
    cs = periodontal("CS", None, "ML").component_covariance
    want = [1.34409497491e-4, 2.12018200878e-3, 0.18227347011686]
    assert cs[np.triu_indices(2)] == pytest.approx(want, rel=1e-5)
    assert periodontal("HCS", None, "ML").component_covariance == pytest.approx(un, rel=1e-6)


def test_errors_of_variances_are_the_curvature_of_the_likelihood() -> None:
    """The slow way: second differences of the profile of one variance, the other at its best."""
    fit = weighted(None)
    at, h = fit.sigma2[0], 0.004
    low, mid, high = fit.profile("district", [at - h, at, at + h]).log_likelihood
    wide = fit.profile("district", [at - 2 * h, at + 2 * h]).log_likelihood
    curved = (16 * (low + high) - (wide[0] + wide[1]) - 30 * mid) / (12 * h * h)
    assert fit.component_covariance[0, 0] == pytest.approx(-1.0 / curved, rel=2e-3)


def test_no_error_of_what_was_given_or_lies_on_its_bound() -> None:
    es, data = schools()
    held = multilevel(es, random="district/effect", data=data, fixed={"district": 0.1}).component_covariance
    assert np.isnan(held[0]).all() and held[1, 1] > 0.0
    none = multilevel(EffectSizes(effect=[0.1, 0.1, 0.2, 0.1], variance=[1.0] * 4, study=list("aabb")))
    assert np.isnan(none.component_covariance).all()


R = [[1.2, 0.9, 0.6, 0.3, 0.2], [0.9, 1.1, 0.6, 0.3, 0.2], [0.6, 0.6, 1.0, 0.3, 0.2], [0.3, 0.3, 0.3, 0.9, 0.2],
     [0.2, 0.2, 0.2, 0.2, 1.3]]  # fmt: skip


def species(scale: str, matrix: Any = R) -> Multilevel:
    y = [0.2, 0.5, -0.1, 0.8, 0.3, 0.9, 0.4, 0.1, 0.7, -0.3, 0.6, 0.25]
    v = [0.02, 0.03, 0.05, 0.01, 0.04, 0.02, 0.03, 0.06, 0.02, 0.05, 0.01, 0.03]
    return multilevel(
        EffectSizes(effect=y, variance=v),
        random=["species", "effect"],
        data={"species": [*"abcde", *"abcde", *"ab"]},
        correlation={"species": (list("abcde"), matrix)},
        correlation_scale=scale,
        inference="wald",
    )


@pytest.mark.parametrize(
    ("scale", "want"),
    [
        ("correlation", [0.123767355475443, 0.039829268491787, 0.350900722562086, 0.250400580333459, -3.357551044540]),
        ("from-zero", [0.103948704906997, 0.039829272352879, 0.350900724657249, 0.207079232735448, -3.357551044540]),
        ("covariance-from-zero", [0.114588391471401, 0.0406348592538, 0.3736895927956, 0.1996838340890, -3.4257933515]),
        ("covariance", [0.114588391445368, 0.040634859266879, 0.373689592796414, 0.250581946435884, -3.425793351524]),
    ],
)
def test_scales_of_a_known_matrix_as_metafor(scale: str, want: list[float]) -> None:
    """rma.mv(yi, vi, random=list(~1|species, ~1|id), R=list(species=R), Rscale="cor" | "cor0" | "cov0" | "none")."""
    fit = species(scale)
    assert [*fit.sigma2, *fit.beta, *fit.se, fit.log_likelihood] == pytest.approx(want, abs=1e-7)


def test_a_matrix_that_is_no_correlation_says_what_would_make_it_one() -> None:
    with pytest.raises(InputError, match=r"ones on its diagonal.*correlation_scale='correlation'"):
        species("as-given")
    with pytest.raises(InputError, match="correlation_scale must be one of"):
        species("cor")
    with pytest.raises(InputError, match="above 0 on its diagonal"):
        species("covariance", np.zeros((5, 5)))
    with pytest.raises(InputError, match="no effect without correlation="):
        multilevel(*schools()[:1], random="effect", correlation_scale="covariance")


def test_given_correlations_that_share_no_level_as_metafor() -> None:
    """rma.mv(yi, vi, random=~one|district, struct="UN", rho=c(.3,NA,NA,NA,NA,.35)), one = 1 2 3 4 1 2 ..."""
    es, data = schools()
    one = [i % 4 for i in range(len(es))]
    given = {"one | district: rho[1,2]": 0.3, "one | district: rho[3,4]": 0.35}
    options: dict[str, Any] = {"random": "one | district", "structure": "UN", "data": data | {"one": one}}
    fit = multilevel(es, **options, fixed=given, inference="wald")
    want = [0.167358243680921, 0.031588392677522, 0.044454592543632, 0.113526081227254, 0.3, 0.701905745100131]
    want += [0.601543924506354, 0.680687552125586, 0.380173782615329, 0.35, 0.142889575644799, 0.059150523152505]
    assert [*fit.tau2, *fit.rho, *fit.beta, *fit.se] == pytest.approx(want, abs=1e-6)
    assert fit.log_likelihood == pytest.approx(-8.329532864128893, abs=1e-9)
    with pytest.raises(InputError, match="close a circle"):
        circle = {f"one | district: rho[{pair}]": 0.2 for pair in ("1,2", "2,3", "1,3")}
        multilevel(es, **options, fixed=circle)
