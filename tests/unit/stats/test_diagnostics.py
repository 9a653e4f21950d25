"""Diagnostics: against slow loops and published values, at the edges, and the rules that they state."""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.diagnostics import deletion
from balm.stats.diagnostics import gosh as gosh_module
from balm.stats.diagnostics.baujat import baujat
from balm.stats.diagnostics.gosh import gosh
from balm.stats.diagnostics.influence import influence
from balm.stats.diagnostics.likelihood_profile import likelihood_profile
from balm.stats.diagnostics.normal_quantiles import normal_qq
from balm.stats.diagnostics.p_value_function import p_value_function
from balm.stats.diagnostics.residuals import KINDS, residuals
from balm.stats.diagnostics.subsets import includes, members, random_subsets
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression
from balm.vocabulary.problems import InputError

#: Colditz et al. (1994), BCG vaccine: events and participants, vaccinated and not; latitude.
BCG = [
    (4, 123, 11, 139, 44),
    (6, 306, 29, 303, 55),
    (3, 231, 11, 220, 42),
    (62, 13598, 248, 12867, 52),
    (33, 5069, 47, 5808, 13),
    (180, 1541, 372, 1451, 44),
    (8, 2545, 10, 629, 19),
    (505, 88391, 499, 88391, 13),
    (29, 7499, 45, 7277, 27),
    (17, 1716, 65, 1665, 42),
    (186, 50634, 141, 27338, 18),
    (5, 2498, 3, 2341, 33),
    (27, 16913, 29, 17854, 33),
]
A, N1, C, N2, LATITUDE = (list(column) for column in zip(*BCG, strict=True))
ALL_MODELS = [
    {},
    {"tau2": "DL"},
    {"model": "common"},
    {"tau2": 0.2},
    {"model": "ivhet"},
    {"weights": "equal"},
    {"inference": "profile-likelihood"},
]


def bcg() -> EffectSizes:
    return effect_sizes("RR", events_1=A, n_1=N1, events_2=C, n_2=N2, study=[f"Trial {i + 1}" for i in range(13)])


def some(k: int) -> EffectSizes:
    return EffectSizes(effect=[0.1, 0.5, -0.2, 0.8][:k], variance=[0.02, 0.03, 0.05, 0.01][:k])


# --- influence --------------------------------------------------------------------------------------------------------


def test_bcg_influence_as_metafor_prints_it():
    """metafor 3.8, influence(rma(yi, vi)) of dat.bcg: trials 4, 8 and 12."""
    found = influence(pool(bcg(), profile="metafor"))
    for i, row in {
        3: (-1.4512, -0.5201, 0.2295, 0.9651, 0.2628, 96.5626, 0.0970, 9.6987),
        7: (1.4501, 0.4775, 0.1992, 1.0011, 0.2732, 67.9858, 0.1019, 10.1894),
        11: (1.2898, 0.2526, 0.0634, 1.0259, 0.3082, 150.7868, 0.0382, 3.8216),
    }.items():
        got = (
            found.studentised_residual[i],
            found.dffits[i],
            found.cooks_distance[i],
            found.covariance_ratio[i],
            found.tau2_deleted[i],
            found.qe_deleted[i],
            found.hat[i],
            found.weight[i],
        )
        assert got == pytest.approx(row, abs=5.1e-5)
    assert not found.influential.any()


@pytest.mark.parametrize("options", [o for o in ALL_MODELS if o.get("weights") is None])
def test_deletion_is_pooling_without_the_study(options):
    fit = pool(bcg(), **options)
    found = influence(fit)
    left = leave_one_out(fit)
    wald = np.array([pool(f.effects, tau2=f.tau2, inference="wald").se for f in left.fits])
    if options.get("model") == "common":
        wald = left.se
    elif options.get("model") == "ivhet":
        wald = np.array([pool(f.effects, model="ivhet", tau2=f.tau2, inference="wald").se for f in left.fits])
    again = options | {"inference": "wald"} | ({"tau2": "ML"} if "inference" in options else {})
    y, v = fit.effects.effect, fit.effects.variance
    factor, whole = 1.0, 1.0
    if fit.conventions["inference"] == "hartung-knapp-guarded":
        factor, whole = (left.se / wald) ** 2, (fit.se / pool(bcg(), **again).se) ** 2
    spread = (v + left.tau2 + wald**2) * factor
    assert found.studentised_residual == pytest.approx((y - left.estimate) / np.sqrt(spread), rel=1e-9)
    assert found.tau2_deleted == pytest.approx(left.tau2, rel=1e-9)
    assert found.qe_deleted == pytest.approx(left.q, rel=1e-9)
    assert found.covariance_ratio == pytest.approx((wald / pool(bcg(), **again).se) ** 2 * factor / whole)


#: R 4.2.2, metafor 3.8-1: ``influence(rma(yi, vi, mods=, weights=, test=, control=list(threshold=1e-14)))`` on
#: ``escalc("RR", ...)`` of the BCG trials, trials 1 and 2: rstudent, dffits, cook.d, cov.r, dfbs (last coefficient).
#: Moderator: latitude; weights: participants.
IN_FORCE = [
    # test="knha"
    (
        {"inference": "hartung-knapp"},
        (-0.2135978504, -0.03985947356, 0.001697411561, 1.151485654, -0.03942701644),
        (-1.2868296369, -0.34226831329, 0.111987604254, 1.006650679, -0.34453417879),
    ),
    # mods=~ablat, test="knha"
    (
        {"inference": "hartung-knapp", "moderators": {"latitude": LATITUDE}},
        (0.1936000029, 0.0548322223, 0.003697835517, 1.365557371, 0.01917522485),
        (-0.4194727886, -0.1851026817, 0.037641689611, 1.538460540, -0.16828154484),
    ),
    # weights=n, test="knha"
    (
        {"inference": "hartung-knapp", "weights": [a + b for a, b in zip(N1, N2, strict=True)]},
        (-0.7305582994, -0.001436178753, 2.278877334e-06, 1.106469828, -0.001436178753),
        (-1.767218302, -0.007510176033, 5.259501876e-05, 0.9356627452, -0.007510176033),
    ),
]


@pytest.mark.parametrize(("options", "first", "second"), IN_FORCE)
def test_the_error_in_force_is_the_one_of_the_fit(options, first, second):
    options = dict(options)
    moderators = options.pop("moderators", None)
    if moderators is None:
        found = influence(pool(bcg(), profile="metafor", **options))
    else:
        found = influence(meta_regression(bcg(), moderators, **options))
    got = (
        found.studentised_residual,
        found.dffits,
        found.cooks_distance,
        found.covariance_ratio,
        found.dfbetas[:, -1],
    )
    assert [g[0] for g in got] == pytest.approx(first, rel=1e-8)
    assert [g[1] for g in got] == pytest.approx(second, rel=1e-8)


def test_hartung_knapp_from_one_study_left_has_a_reason():
    two = EffectSizes(effect=[0.1, 0.5], variance=[0.02, 0.03])
    assert influence(pool(two, tau2=0.2, inference="hartung-knapp")).reasons == dict.fromkeys(
        two.study, "not estimable: one study is left, which has no Hartung-Knapp interval"
    )
    three = EffectSizes(effect=[0.1, 0.5, 0.2], variance=[0.02, 0.03, 0.04])
    line = meta_regression(three, {"x": [1, 2, 4]}, tau2=0.2, inference="hartung-knapp")
    assert set(influence(line).reasons) == set(three.study)


def test_own_weights_take_the_sandwich():
    fit = pool(bcg(), weights="equal", tau2="DL")  # Wald's interval, as nobody asked for another
    found = influence(fit)
    k, y, spread = 13, fit.effects.effect, fit.effects.variance + fit.tau2
    assert found.hat == pytest.approx(np.full(k, 1 / k))
    centring = np.eye(k) - 1 / k
    assert residuals(fit).se == pytest.approx(np.sqrt(np.diag(centring @ np.diag(spread) @ centring)))
    moved = y.mean() - (y.sum() - y) / (k - 1)
    assert found.cooks_distance == pytest.approx(moved**2 / (spread.sum() / k**2))


def test_regression_deletion_is_fitting_without_the_study():
    es = bcg()
    fit = meta_regression(es, {"latitude": LATITUDE}, inference="wald")
    found = influence(fit)
    keep = np.arange(13) != 6
    other = meta_regression(es[keep], {"latitude": np.array(LATITUDE)[keep]}, inference="wald")
    assert found.tau2_deleted[6] == pytest.approx(other.tau2, rel=1e-9)
    assert found.qe_deleted[6] == pytest.approx(other.qe, rel=1e-9)
    x = fit.design.matrix
    spread = 1.0 / (es.variance + other.tau2)
    scale = np.sqrt(np.diag(np.linalg.inv((x.T * spread) @ x)))
    assert found.dfbetas[6] == pytest.approx((fit.beta - other.beta) / scale, rel=1e-8)
    assert found.names == ("intercept", "latitude")
    row = x[6]
    error = other.covariance
    expected = (es.effect[6] - row @ other.beta) / math.sqrt(es.variance[6] + other.tau2 + row @ error @ row)
    assert found.studentised_residual[6] == pytest.approx(expected, rel=1e-9)


def test_many_studies_are_deleted_in_chunks(monkeypatch):
    fit = pool(bcg())
    whole = influence(fit)
    monkeypatch.setattr(deletion, "CHUNK", 30)  # two or three deletions at a time
    assert influence(fit).studentised_residual.tolist() == whole.studentised_residual.tolist()


def test_an_outlier_is_flagged_by_the_stated_rule():
    random = np.random.default_rng(3)
    effect = random.normal(0.0, 0.1, 12)
    effect[4] = 3.0
    found = influence(pool(EffectSizes(effect=effect, variance=np.full(12, 0.02))))
    assert found.influential.tolist() == [i == 4 for i in range(12)]
    assert found.cutoffs["dffits"] == pytest.approx(3.0 * math.sqrt(1 / 11))
    assert found.cutoffs["cooks_distance"] == pytest.approx(0.4549364, abs=1e-7)  # median of chi-squared(1)
    assert abs(found.dffits[4]) > found.cutoffs["dffits"]
    assert "1 of 12 influential" in repr(found)
    assert "Viechtbauer & Cheung" in found.source


@pytest.mark.parametrize("options", ALL_MODELS)
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_few_studies_give_reasons_and_no_error(k, options):
    fit = pool(some(k), **options)
    found = influence(fit)
    unknown = np.isnan(found.studentised_residual)
    assert set(found.reasons) == {s for s, u in zip(found.study, unknown, strict=True) if u}
    assert all(why.startswith("not estimable") for why in found.reasons.values())
    assert unknown.any() == (k == 1 or (k == 2 and fit.conventions["model"] != "common" and options.get("tau2") != 0.2))
    for kind in KINDS:
        assert len(residuals(fit, kind)) == len(residuals(fit, kind).to_frame()) == k
    assert "stud" in repr(found) and len(found.to_frame()) == k
    assert not found.influential[unknown & np.isnan(found.dffits)].any()
    assert len(baujat(fit)) == k and "Baujat" in repr(baujat(fit))
    assert len(gosh(fit)) == 2**k - 1 and "GOSH" in repr(gosh(fit))
    assert len(normal_qq(fit, simulations=100)) == (0 if k == 1 else k)
    assert np.nanmax(p_value_function(fit).pooled) == pytest.approx(1.0)


def test_common_effect_of_two_studies_in_closed_form():
    found = influence(pool(some(2), model="common"))
    z = (0.1 - 0.5) / math.sqrt(0.05)
    assert found.studentised_residual.tolist() == pytest.approx([z, -z])
    assert found.covariance_ratio.tolist() == pytest.approx([2.5, 5 / 3])
    assert found.qe_deleted.tolist() == [0.0, 0.0]


def test_a_study_that_alone_carries_a_coefficient():
    fit = meta_regression(some(4), {"late": [0, 0, 0, 1]})
    found = influence(fit)
    assert found.reasons["Study 4"] == "not estimable: without this study the coefficients cannot be told apart"
    assert np.isnan(found.dffits[3]) and np.isfinite(found.dffits[:3]).all()
    assert found.influential[3] == (found.hat[3] > found.cutoffs["hat"])
    assert math.isnan(residuals(fit).z[3])
    assert math.isnan(residuals(fit, "studentised").z[3])


def test_scale_does_not_matter():
    y, v = bcg().effect, bcg().variance
    one = influence(pool(EffectSizes(effect=y, variance=v)))
    for unit in (1e-8, 1e8):
        other = influence(pool(EffectSizes(effect=y * unit, variance=v * unit**2)))
        assert other.studentised_residual == pytest.approx(one.studentised_residual, rel=1e-9)
        assert other.cooks_distance == pytest.approx(one.cooks_distance, rel=1e-9)


def test_what_is_refused():
    with pytest.raises(InputError, match=r"influence takes a result of balm\.pool"):
        influence([1.0])
    fit = mantel_haenszel("OR", events_1=A, n_1=N1, events_2=C, n_2=N2)
    with pytest.raises(InputError, match="by mantel-haenszel: pool the same effect sizes"):
        influence(fit)
    with pytest.raises(InputError, match="kind must be one of"):
        residuals(pool(some(3)), "deviance")
    with pytest.raises(InputError, match="common-effect fit has no between-study variance"):
        likelihood_profile(pool(some(3), model="common"))
    with pytest.raises(InputError, match="subsets must be 'all' or a number"):
        gosh(pool(some(3)), subsets=0)
    with pytest.raises(InputError, match="give a number of random ones"):
        gosh(pool(EffectSizes(effect=np.zeros(30), variance=np.ones(30))), "all")


def test_residual_kinds_agree_where_they_must():
    fit = pool(bcg(), profile="metafor")
    raw, pearson, cholesky = (residuals(fit, kind) for kind in ("raw", "pearson", "cholesky"))
    assert raw.z == pytest.approx(residuals(fit).z)
    assert raw.residual == pytest.approx(fit.effects.effect - fit.estimate)
    # metafor 3.8: residuals(res, type="pearson") and "cholesky"
    assert pearson.z[:3] == pytest.approx([-0.21867405, -1.22205213, -0.74220977], abs=1e-7)
    assert cholesky.z == pytest.approx(pearson.z)


# --- Baujat -----------------------------------------------------------------------------------------------------------


def test_baujat_shares_add_up_to_q_under_a_common_effect():
    fit = pool(bcg(), model="common")
    found = baujat(fit)
    assert found.heterogeneity.sum() == pytest.approx(fit.q)
    left = leave_one_out(fit)
    assert found.influence == pytest.approx((fit.estimate - left.estimate) ** 2 / left.se**2)


@pytest.mark.parametrize("make", [mantel_haenszel, None])
def test_baujat_of_sums(make):
    counts = {"events_1": A, "n_1": N1, "events_2": C, "n_2": N2}
    fit = peto(**counts) if make is None else make("OR", **counts)
    left = leave_one_out(fit)
    found = baujat(fit)
    assert found.influence == pytest.approx((fit.estimate - left.estimate) ** 2 / left.se**2)
    one = peto(events_1=[0, 6], n_1=[10, 20], events_2=[0, 9], n_2=[10, 20])
    assert all(why.startswith("not estimable") for why in baujat(one).reasons.values())
    assert baujat(one).reasons


# --- GOSH -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [*ALL_MODELS, {"tau2": 0.2, "i2": "from-q"}])
def test_every_subset_is_pooled_as_the_fit_was(options):
    es = bcg()[:6]
    fit = pool(es, **options)
    found = gosh(fit)
    assert found.every and len(found) == 63
    for mask in (1, 4, 3, 21, 40, 63):
        keep = np.array([bool(mask >> j & 1) for j in range(6)])
        assert found.members()[mask - 1].tolist() == keep.tolist()
        again = {k: v for k, v in options.items() if k not in ("inference",)}
        if options.get("inference"):
            again["tau2"] = "ML"
        one = pool(es[keep], inference="wald", **again)
        i = mask - 1
        assert found.k[i] == keep.sum()
        assert found.estimate[i] == pytest.approx(one.estimate, rel=1e-9)
        for name in ("tau2", "q", "i2", "h2"):
            assert getattr(found, name)[i] == pytest.approx(getattr(one, name), rel=1e-8, abs=1e-9, nan_ok=True)


def test_the_recursion_equals_the_general_pass_at_any_scale():
    for unit in (1e-8, 1.0, 1e8):
        fit = pool(
            EffectSizes(effect=bcg().effect * unit + 5 * unit, variance=bcg().variance * unit**2), model="common"
        )
        closed = gosh(fit)
        size, estimate, _, q, i2, _ = gosh_module._pooled(gosh_module.model_of(fit, "gosh"), closed.bits)
        assert closed.k.tolist() == size.tolist()
        assert closed.estimate == pytest.approx(estimate, rel=1e-12)
        several = size > 1
        assert closed.q[several] == pytest.approx(q[several], rel=1e-9, abs=1e-10)
        assert closed.i2[several] == pytest.approx(i2[several], abs=1e-6)
        assert np.isnan(closed.q[~several]).all()


def test_a_sample_depends_on_its_seed_and_not_on_chunks(monkeypatch):
    fit = pool(bcg(), tau2="DL")
    with monkeypatch.context() as whole:
        whole.setattr(gosh_module, "solve_subsets", lambda *_: None)
        one = gosh(fit, 500, seed=4)
    monkeypatch.setattr(gosh_module, "BATCH", 64)
    monkeypatch.setattr(gosh_module, "solve_subsets", lambda *_: None)
    two = gosh(fit, 500, seed=4)
    # The order of a sum's terms may differ with what stands beside it: equal but for the last bit.
    assert one.estimate == pytest.approx(two.estimate, rel=1e-14, abs=1e-15) and not one.every
    assert gosh(fit, 500, seed=5).estimate.tolist() != two.estimate.tolist()
    assert "500 random subsets (seed 4)" in repr(one)
    assert len(one.to_frame()) == 500


def test_random_subsets_are_uniform_and_never_empty():
    bits = random_subsets(3, 70_000, seed=1)
    counts = np.bincount(bits[:, 0], minlength=8)
    assert counts[0] == 0 and np.abs(counts[1:] - 10_000).max() < 450  # 4.8 standard deviations
    wide = random_subsets(21, 50, seed=2)
    assert wide.shape == (50, 3)
    assert [includes(wide, j).tolist() for j in range(21)] == members(wide, 21).T.tolist()


@pytest.mark.parametrize("method", ["gaussian-mixture", "k-means"])
def test_clusters_find_the_study_that_splits_the_cloud(method):
    random = np.random.default_rng(8)
    effect = random.normal(0.2, 0.15, 11)
    effect[7] = 1.6
    variance = np.full(11, 0.03)
    variance[7] = 0.005
    found = gosh(pool(EffectSizes(effect=effect, variance=variance, study=list("ABCDEFGHIJK"))))
    clusters = found.clusters(2, method=method)
    assert clusters.separating[0] == "H"
    assert clusters.separation[7] > 0.8 and np.delete(clusters.separation, 7).max() < 0.4
    assert clusters.size.sum() == np.count_nonzero(found.k > 1) == np.count_nonzero(clusters.label >= 0)
    assert clusters.centre[0, 0] < clusters.centre[1, 0]
    assert "separating studies: H" in repr(clusters)
    assert found.clusters(2, method=method).label.tolist() == clusters.label.tolist()
    with pytest.raises(InputError, match="method must be one of"):
        found.clusters(2, method="dbscan")
    with pytest.raises(InputError, match="clusters need at least"):
        gosh(pool(some(3))).clusters(2)


# --- likelihood profile -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ["REML", "ML"])
def test_profile_has_the_maximum_and_interval_of_the_fit(estimator):
    fit = pool(bcg(), tau2=estimator)
    found = likelihood_profile(fit)
    known = fit.heterogeneity_interval("profile-likelihood").tau2
    assert found.likelihood == estimator
    assert found.best == pytest.approx(fit.tau2, rel=1e-9)
    assert found.highest == pytest.approx(fit.log_likelihood, rel=1e-12)
    assert (found.interval.low, found.interval.high) == pytest.approx((known.low, known.high), rel=1e-8)
    assert found.log_likelihood.max() <= found.highest
    assert len(found) == len(found.to_frame()) == 101


def test_profile_of_other_fits():
    moments = likelihood_profile(pool(bcg(), tau2="DL"), likelihood="ML", level=0.9)
    assert moments.likelihood == "ML" and moments.fitted != moments.best and moments.interval.level == 0.9
    fit = meta_regression(bcg(), {"latitude": LATITUDE})
    found = likelihood_profile(fit, tau2=[0.0, fit.tau2])
    assert found.best == pytest.approx(fit.tau2)
    assert found.log_likelihood[1] == pytest.approx(fit.fit_statistics["REML"]["log_likelihood"])
    one = likelihood_profile(pool(some(1)), tau2=[0.1])
    assert one.reason == "not estimable: one study" and np.isnan(one.log_likelihood).all()
    with pytest.raises(InputError, match="at least 0; got -1"):
        likelihood_profile(fit, tau2=[-1.0])


# --- p-value function -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inference", ["wald", "hartung-knapp", "profile-likelihood"])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_p_value_at_the_end_of_an_interval_is_one_less_its_level(inference, level):
    fit = pool(bcg(), inference=inference, level=level)
    ends = [fit.interval.low, fit.interval.high]
    assert p_value_function(fit, ends).pooled == pytest.approx([1 - level] * 2, rel=1e-6)
    wide = [fit.prediction_interval.low, fit.prediction_interval.high]
    assert p_value_function(fit, wide).prediction == pytest.approx([1 - level] * 2, rel=1e-9)
    trial = fit.effects.effect[2] + 1.959963984540054 * math.sqrt(fit.effects.variance[2])
    assert p_value_function(fit, [trial]).studies[2, 0] == pytest.approx(0.05)
    assert np.max(p_value_function(fit).studies, axis=1) == pytest.approx(np.ones(13))


# --- normal quantiles -------------------------------------------------------------------------------------------------


def test_normal_quantiles_and_their_envelope():
    fit = pool(bcg())
    found = normal_qq(fit)
    assert (np.diff(found.residual) >= 0).all() and (np.diff(found.quantile) > 0).all()
    assert sorted(found.residual.tolist()) == pytest.approx(sorted(residuals(fit).z.tolist()))
    assert not found.outside.any()
    assert found.low.tolist() == normal_qq(fit).low.tolist() != normal_qq(fit, seed=2).low.tolist()
    studentised = normal_qq(fit, kind="studentised")
    assert sorted(studentised.residual.tolist()) == pytest.approx(sorted(residuals(fit, "studentised").z.tolist()))
    far = bcg().effect.copy()
    far[3] = 20.0
    assert "Trial 4" in [
        s
        for q in [normal_qq(pool(EffectSizes(effect=far, variance=bcg().variance, study=bcg().study), model="common"))]
        for s, out in zip(q.study, q.outside, strict=True)
        if out
    ]


def test_envelope_holds_what_it_says():
    """95 % of residuals of new draws from the model lie inside, point by point."""
    random = np.random.default_rng(11)
    variance = np.linspace(0.05, 0.4, 15)
    inside = []
    for seed in range(150):
        es = EffectSizes(effect=random.normal(0.3, np.sqrt(variance)), variance=variance)
        inside.append(~normal_qq(pool(es, model="common"), simulations=200, seed=seed).outside)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)  # three standard errors
