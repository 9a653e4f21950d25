"""Small-study tests for several effects a study: against metafor with clubSandwich, and against plain algebra."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.multilevel.cluster_robust import robust
from balm.stats.multilevel.multilevel import multilevel
from balm.stats.pooling.pool import pool
from balm.stats.small_study.clustered import METHODS as CLUSTERED
from balm.stats.small_study.pet_peese import pet_peese
from balm.stats.small_study.small_study_test import METHODS, small_study_test
from balm.vocabulary.problems import InputError
from tests.worked_examples.test_konstantopoulos2011 import schools

SCHOOLS, DATA = schools()
K = 24
RNG = np.random.default_rng(11)
CLUSTER = np.repeat(np.arange(12), 2)
N_1, N_2 = RNG.integers(10, 80, K), RNG.integers(10, 80, K)
SMD = effect_sizes(
    "SMD",
    mean_1=RNG.normal(1.0, 0.4, K) + RNG.normal(0, 0.3, 12)[CLUSTER],
    sd_1=np.ones(K),
    n_1=N_1,
    mean_2=np.zeros(K),
    sd_2=np.ones(K),
    n_2=N_2,
)


@pytest.mark.parametrize(
    ("method", "intercept", "slope"),
    [
        # rma.mv(yi, vi, mods = ~ sei, random = ~ 1 | district/school), coef_test(vcov = "CR2")
        (
            "random-effects",
            (0.320096119278, 0.162039150114),
            (-0.984632762144, 0.705619428040, -1.39541617339, 4.69257911771, 0.2253214799001),
        ),
        # rma(yi, vi, mods = ~ sei, method = "FE"), coef_test(vcov = "CR2")
        (
            "egger",
            (-0.0421458165986, 0.132364357186),
            (1.6187647596096, 1.335882442085, 1.211756894629, 6.49000434253, 0.267870026876),
        ),
    ],
)
def test_schools_in_districts_as_metafor_and_clubsandwich(method, intercept, slope):
    found = small_study_test(SCHOOLS, method, cluster=DATA["district"])
    assert (found.intercept, found.intercept_se) == pytest.approx(intercept, rel=1e-8)
    assert (found.slope, found.slope_se, found.statistic, found.df, found.p) == pytest.approx(slope, rel=2e-8)
    assert (found.clusters, found.k) == (11, 56) and "56 effects in 11 clusters" in found.summary


def test_a_multilevel_fit_keeps_its_random_effects():
    fit = multilevel(SCHOOLS, random="district/effect", data=DATA)
    given = small_study_test(fit, "random-effects")
    alone = small_study_test(SCHOOLS, "random-effects", cluster=DATA["district"])
    assert (given.slope, given.p, given.df) == pytest.approx((alone.slope, alone.p, alone.df), rel=1e-9)
    assert given.tau2 == pytest.approx(alone.tau2)
    simple = small_study_test(multilevel(SCHOOLS, random="district", data=DATA), "random-effects")
    assert simple.slope != pytest.approx(alone.slope, rel=1e-3)
    correlated = multilevel(SCHOOLS, random="effect | district", structure="CS", data=DATA)
    assert small_study_test(correlated, "random-effects").slope == pytest.approx(alone.slope, rel=1e-6)


def test_one_effect_a_cluster_is_the_hc2_of_weighted_least_squares():
    es = EffectSizes(SMD.effect, SMD.variance)
    found = small_study_test(es, "egger", cluster=list(range(K)))
    x = np.column_stack([np.ones(K), es.se])
    w = 1.0 / es.variance
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    beta = bread @ x.T @ (w * es.effect)
    e, hat = es.effect - x @ beta, w * np.einsum("ij,jk,ik->i", x, bread, x)
    meat = x.T @ ((w * w * e * e / (1.0 - hat))[:, None] * x)
    expected = np.sqrt(np.diag(bread @ meat @ bread))
    assert (found.intercept_se, found.slope_se) == pytest.approx(tuple(expected), rel=1e-10)


def test_the_modified_standard_error_of_standardised_mean_differences():
    found = small_study_test(SMD, "pustejovsky", cluster=CLUSTER)
    x = np.sqrt(1.0 / N_1 + 1.0 / N_2)
    fit = multilevel(SMD, {"x": x}, random=["c", "c/effect"], data={"c": CLUSTER})
    own = robust(fit, CLUSTER)["x"]
    assert (found.slope, found.p, found.df) == pytest.approx((own.estimate, own.p, own.df), rel=1e-10)
    assert found.predictor == "modified standard error" and "modified" in found.summary
    assert found.to_dict()["clusters"] == 12


def test_studies_left_out_take_their_labels_with_them():
    es = effect_sizes(
        "OR",
        events_1=[0, *RNG.integers(1, 20, 23)],
        n_1=[10, *RNG.integers(30, 90, 23)],
        events_2=[0, *RNG.integers(1, 20, 23)],
        n_2=[10, *RNG.integers(30, 90, 23)],
    )
    whole = small_study_test(es, "egger", cluster=CLUSTER)
    kept = small_study_test(es[1:], "egger", cluster=CLUSTER[1:])
    assert (whole.p, whole.k) == (kept.p, 23)
    assert small_study_test(pool(es), "egger", cluster=CLUSTER[1:]).p == kept.p
    named = EffectSizes(es.effect[1:], es.variance[1:], study=[f"s{c}" for c in CLUSTER[1:]])
    assert small_study_test(named, "egger", cluster="study").p == pytest.approx(kept.p)


def test_direction_and_scale_do_not_matter():
    for method in ("egger", "random-effects"):
        found = small_study_test(SCHOOLS, method, cluster=DATA["district"])
        for factor in (-1e-6, 1e6):
            es = EffectSizes(SCHOOLS.effect * factor, SCHOOLS.variance * factor**2)
            scaled = small_study_test(es, method, cluster=DATA["district"])
            assert scaled.p == pytest.approx(found.p, rel=1e-6)


def test_what_does_not_apply_is_said():
    for method in sorted(set(METHODS) - set(CLUSTERED)):
        with pytest.raises(InputError, match="has no form for several effects a study"):
            small_study_test(SMD, method, cluster=CLUSTER)
    with pytest.raises(InputError, match="tau2= does not apply with cluster="):
        small_study_test(SMD, "random-effects", cluster=CLUSTER, tau2="DL")
    with pytest.raises(InputError, match="needs at least 10 clusters and there are 6"):
        small_study_test(SMD, "egger", cluster=CLUSTER // 2)
    assert "Only 6 clusters" in small_study_test(SMD, "egger", cluster=CLUSTER // 2, force=True).advice[-1]
    with pytest.raises(InputError, match="at least 3 clusters"):
        small_study_test(SMD, "egger", cluster=CLUSTER // 6, force=True)
    with pytest.raises(InputError, match="without moderators"):
        small_study_test(multilevel(SMD, {"x": SMD.se}, random="c", data={"c": CLUSTER}), "random-effects")
    with pytest.raises(InputError, match="tell clusters apart"):
        small_study_test(multilevel(SMD, random=None), "random-effects")
    with pytest.raises(InputError, match="several effects a study"):
        pet_peese(pool(SMD), cluster=CLUSTER)
