"""Pooling: the slow twin, what must not change a result, the edges, and that every option counts."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.profiles import PROFILES
from balm.vocabulary.problems import InputError
from tests import naive

#: BCG vaccine, log risk ratios (Colditz et al. 1994), seven of the thirteen trials.
Y = np.array([-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, 0.0120])
V = np.array([0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.0040])


def made(y: Any = Y, v: Any = V, **more: Any) -> EffectSizes:
    return EffectSizes(effect=y, variance=v, **more)


def random_set(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    k = int(rng.integers(2, 12))
    v = np.exp(rng.normal(-2.0, 1.0, k))
    tau = 0.0 if rng.random() < 0.35 else rng.uniform(0.1, 0.8)
    return rng.normal(0.2, np.sqrt(v + tau**2)), v


def test_the_slow_twin_agrees_on_random_data() -> None:
    rng = np.random.default_rng(20260)
    for _ in range(60):
        y, v = random_set(rng)
        es = made(y, v)
        for name, weights in (("DL", 1 / v), ("HE", np.ones(len(v))), ("GENQ", v**-0.5)):
            assert pool(es, tau2=name).tau2 == pytest.approx(naive.moments(y, v, weights), rel=1e-9, abs=1e-12)
        assert pool(es, tau2="PM").tau2 == pytest.approx(naive.where_q_is(y, v, len(y) - 1.0), rel=1e-9, abs=1e-12)
        for name, restricted in (("ML", False), ("REML", True)):
            fit = pool(es, tau2=name, inference="hartung-knapp")
            twin = naive.highest(y, v, restricted)
            assert fit.log_likelihood >= naive.log_likelihood(y, v, twin, restricted) - 1e-10
            assert fit.tau2 == pytest.approx(twin, rel=1e-3, abs=1e-6)
            assert fit.log_likelihood == pytest.approx(naive.log_likelihood(y, v, fit.tau2, restricted), rel=1e-10)
            centre, _ = naive.mean(y, v, fit.tau2)
            assert (fit.estimate, fit.se) == pytest.approx((centre, naive.hartung_knapp(y, v, fit.tau2)), rel=1e-10)


def test_two_maxima_of_the_restricted_likelihood_are_told_apart() -> None:
    # Found by search: zero is a local maximum of the restricted likelihood, and so is a value above it.
    rng = np.random.default_rng(5)
    met = 0
    for _ in range(4000):
        k = 4
        v = np.exp(rng.normal(-2.0, 2.0, k))
        y = rng.normal(0.0, np.sqrt(v + 0.1))
        fit = pool(made(y, v), inference="wald")
        at_zero = naive.log_likelihood(y, v, 0.0, True)
        assert fit.log_likelihood >= at_zero - 1e-12
        slope = naive.log_likelihood(y, v, 1e-7, True) - at_zero
        met += fit.tau2 > 1e-3 and slope < 0.0
    assert met > 0


effects = st.lists(
    st.tuples(st.floats(-5, 5).map(lambda x: round(x, 3)), st.floats(0.01, 4).map(lambda x: round(x, 4))),
    min_size=2,
    max_size=8,
)


def numbers(fit: Pooled) -> np.ndarray:
    return np.array([fit.estimate, fit.se, *fit.interval, *fit.prediction_interval])


@settings(max_examples=60, deadline=None)
@given(effects, st.sampled_from(["DL", "REML", "PM", "ML", "SJ", "HE", "HSk"]), st.integers(-8, 8))
def test_unit_origin_order_and_sign_do_not_matter(rows: list[tuple[float, float]], tau2: str, power: int) -> None:
    y, v = (np.array(c) for c in zip(*rows, strict=True))
    fit = pool(made(y, v), tau2=tau2)
    size = np.abs(numbers(fit)).max() + 1e-3
    unit = 10.0**power
    scaled = pool(made(y * unit, v * unit**2), tau2=tau2)
    assert np.abs(numbers(scaled) / unit - numbers(fit)).max() <= 1e-7 * size
    assert scaled.tau2 / unit**2 == pytest.approx(fit.tau2, rel=1e-6, abs=1e-8 * v.min())
    shifted = pool(made(y + 3.0, v), tau2=tau2)
    assert np.abs(numbers(shifted) - numbers(fit) - [3.0, 0.0, 3.0, 3.0, 3.0, 3.0]).max() <= 1e-7 * (size + 3.0)
    order = np.argsort(v * np.pi % 1.0)
    assert np.abs(numbers(pool(made(y[order], v[order]), tau2=tau2)) - numbers(fit)).max() <= 1e-7 * size
    turned = numbers(pool(made(-y, v), tau2=tau2))[[0, 1, 3, 2, 5, 4]] * [-1, 1, -1, -1, -1, -1]
    assert np.abs(turned - numbers(fit)).max() <= 1e-7 * size


@pytest.mark.parametrize("unit", [1e-8, 1e-4, 1e4, 1e8])
def test_results_follow_the_unit_exactly(unit: float) -> None:
    plain, scaled = pool(made()), pool(made(Y * unit, V * unit**2))
    assert numbers(scaled) / unit == pytest.approx(numbers(plain), rel=1e-12)
    assert (scaled.tau2 / unit**2, scaled.i2) == pytest.approx((plain.tau2, plain.i2), rel=1e-11)
    a, b = plain.heterogeneity_interval().tau2, scaled.heterogeneity_interval().tau2
    assert (b.low / unit**2, b.high / unit**2) == pytest.approx((a.low, a.high), rel=1e-10)


def test_equal_estimators_agree_exactly() -> None:
    assert pool(made(), tau2="PM").tau2 == pool(made(), tau2="EB").tau2
    # DerSimonian-Laird is the generalised moment estimator with inverse-variance weights.
    assert pool(made(), tau2="DL").tau2 == pytest.approx(pool(made(), tau2="GENQ", weights=1 / V).tau2, rel=1e-13)


def test_a_study_given_twice_halves_the_common_variance() -> None:
    once, twice = pool(made(), model="common"), pool(made(np.tile(Y, 2), np.tile(V, 2)), model="common")
    assert (twice.estimate, twice.se**2) == pytest.approx((once.estimate, once.se**2 / 2), rel=1e-13)


def test_huge_variance_ratios_stay_exact() -> None:
    # Weights 1e12 apart: with two studies the REML root is (d**2 - v1 - v2)/2 in closed form.
    y, v = [0.0, 2.0], [1e-9, 1e3]
    assert pool(made(y, v)).tau2 == 0.0
    y, v = [0.0, 100.0], [1e-9, 1e3]
    exact = (100.0**2 - 1e-9 - 1e3) / 2
    for name in ("REML", "PM", "HE"):
        assert pool(made(y, v), tau2=name).tau2 == pytest.approx(exact, rel=1e-10), name
    dl = pool(made(y, v), tau2="DL")
    assert dl.tau2 == pytest.approx(exact, rel=1e-10)
    assert pool(made(y, v), tau2="REML").residual < 1e-9


# Edges (one study, two, identical effects ...)


def test_one_study_is_its_own_effect_with_reasons() -> None:
    fit = pool(made([0.5], [0.04]))
    assert (fit.estimate, fit.se, fit.k) == (0.5, pytest.approx(0.2), 1)
    assert tuple(fit.interval)[:2] == pytest.approx((0.5 - 1.959963984540054 * 0.2, 0.5 + 1.959963984540054 * 0.2))
    for name in ("tau2", "i2", "h2", "q", "q_p", "prediction_interval"):
        assert fit.reasons[name] == "not estimable: one study", name
    assert all(math.isnan(x) for x in (fit.tau2, fit.i2, fit.q, fit.prediction_interval.low))
    assert "Wald" in fit.reasons["inference"]
    assert math.isnan(fit.heterogeneity_interval().tau2.high)
    assert fit.to_dict()["tau2"] is None


def test_two_studies_fit_and_a_k_2_prediction_interval_is_refused_with_the_reason() -> None:
    fit = pool(made([0.0, 1.0], [0.1, 0.2]), prediction="t-k-2")
    assert fit.tau2 == pytest.approx((1.0 - 0.3) / 2, rel=1e-12)
    assert math.isnan(fit.prediction_interval.low)
    assert "no degrees of freedom" in fit.reasons["prediction_interval"]
    assert any("one degree of freedom" in said for said in fit.advice)


def test_few_studies_are_advised() -> None:
    assert any("uncertain" in said for said in pool(made(Y[:3], V[:3])).advice)
    assert not any("uncertain" in said for said in pool(made()).advice)


def test_identical_effects_fit_and_the_guard_says_so() -> None:
    es = made([0.3, 0.3, 0.3], [0.1, 0.2, 0.1])
    fit = pool(es)
    assert (fit.q, fit.tau2, fit.i2) == (0.0, 0.0, 0.0)
    assert fit.se == pytest.approx((1 / 25.0) ** 0.5)
    assert any("guard acted" in said for said in fit.advice)
    assert any("identical" in said for said in fit.advice)
    bare = pool(es, inference="hartung-knapp")
    assert bare.se == 0.0 and math.isinf(bare.statistic) and bare.p == 0.0


def test_the_homogeneous_set_that_traps_plain_hartung_knapp() -> None:
    # Four trials that agree better than their errors allow: 0.10, 0.11, 0.10, 0.105.
    es = made([0.10, 0.11, 0.10, 0.105], [0.1, 0.1, 0.2, 0.1])
    plain = pool(es, inference="hartung-knapp")
    assert plain.se == pytest.approx(0.0024, abs=5e-5)
    assert (plain.interval.low, plain.interval.high) == pytest.approx((0.0966, 0.1119), abs=5e-5)
    assert any("hartung-knapp-guarded" in said for said in plain.advice)
    wald = pool(es, inference="wald")
    assert wald.se == pytest.approx(0.1690, abs=5e-5)
    guarded = pool(es)
    assert (guarded.interval.low, guarded.interval.high) == pytest.approx((-0.4336, 0.6422), abs=5e-5)
    assert guarded.se == wald.se
    truncated = pool(es, tau2="DL")
    assert truncated.tau2 == 0.0
    assert any("negative (-0.1166)" in said for said in truncated.advice)


def test_double_zero_studies_follow_the_profile() -> None:
    table = {"events_1": [0, 3, 0, 10], "n_1": [50, 60, 40, 100], "events_2": [5, 4, 0, 2], "n_2": [50, 60, 40, 100]}
    es = effect_sizes("RR", **table)
    fit = pool(es)
    assert fit.k == 3
    assert fit.excluded == (("Study 3", "not estimable: no events in either arm"),)
    assert pool(es, profile="metafor").k == 4
    assert pool(effect_sizes("RD", **table)).k == 4


# Options


def shown(fit: Pooled) -> tuple[Any, ...]:
    return (*numbers(fit).tolist(), fit.df, fit.p, fit.tau2, fit.tau2_se, fit.i2, fit.prediction_df)


@pytest.mark.parametrize(
    ("option", "names"),
    [
        ("tau2", list(TAU2_ESTIMATORS)),
        ("inference", list(INFERENCES)),
        ("prediction", list(PREDICTIONS)),
        ("profile", list(PROFILES)),
        ("model", ["random", "common", "ivhet"]),
        ("i2", ["from-tau2", "from-q"]),
    ],
)
def test_every_option_value_changes_something_or_raises(option: str, names: list[str]) -> None:
    es = effect_sizes(
        "SMD",
        mean_1=[55.0, 27, 64, 66, 14, 19, 52],
        sd_1=[47.0, 7, 17, 20, 8, 7, 45],
        n_1=[155, 31, 75, 18, 8, 57, 34],
        mean_2=[75.0, 29, 119, 137, 18, 18, 41],
        sd_2=[64.0, 4, 29, 48, 11, 4, 34],
        n_2=[156, 32, 71, 18, 13, 52, 33],
    )
    same = {"PM", "EB", "DLIT", "SJIT"}
    seen: dict[Any, str] = {}
    for name in names:
        options: dict[str, Any] = {option: name}
        if option == "inference":
            options["model"] = "ivhet" if name == "henmi-copas" else "random"
            if name == "hartung-knapp-wider" or name == "hartung-knapp-iqwig" or name == "hartung-knapp-guarded":
                # These act only where Hartung-Knapp is narrower than Wald.
                tight = made([0.10, 0.11, 0.10, 0.105], [0.1, 0.1, 0.2, 0.1])
                assert shown(pool(tight, **options)) != shown(pool(tight, inference="hartung-knapp"))
                continue
        if option == "prediction":
            options["inference"] = "hartung-knapp"
        result = shown(pool(es, **options))
        key = tuple("nan" if isinstance(x, float) and math.isnan(x) else x for x in result)
        if option == "tau2" and name in same and seen.get(key) in same:
            continue
        if option == "prediction" and {name, seen.get(key, "")} <= {"t-k-1", "as-inference", "hartung-knapp-t-k-1"}:
            continue  # under Hartung-Knapp these are three names of one interval
        if option == "prediction" and {name, seen.get(key, "")} <= {"t-k-2", "hartung-knapp-t-k-2"}:
            continue
        assert key not in seen, f"{option}={name!r} gives what {seen[key]!r} gives"
        seen[key] = name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"inference": "hksj"}, "did you mean 'hartung-knapp'"),
        ({"inference": "knha"}, "did you mean 'hartung-knapp'"),
        ({"tau2": "dl"}, "did you mean 'DL'"),
        ({"tau2": -0.1}, "0 or larger"),
        ({"tau2": True}, "tau2 must be one of"),
        ({"model": "fixed"}, "did you mean 'common'"),
        ({"prediction": "bogus"}, "prediction must be one of"),
        ({"profile": "revman"}, "did you mean 'revman"),
        ({"level": 95}, "between 0 and 1"),
        ({"model": "common", "tau2": "DL"}, "has no effect under model='common'"),
        ({"model": "common", "prediction": "t-k-1"}, "needs model='random'"),
        ({"model": "common", "inference": "hartung-knapp"}, "needs model 'random'"),
        ({"inference": "henmi-copas"}, "needs model 'ivhet'"),
        ({"inference": "profile-likelihood", "tau2": "DL"}, "tau2='ML'"),
        ({"weights": "equal", "inference": "kenward-roger"}, "not defined for weights"),
        ({"weights": [1.0, 2.0]}, "one number a study"),
        ({"weights": [1.0] * 6 + [-1.0]}, "Study 7: weight -1"),
        ({"weights": "same"}, "'equal'"),
        ({"i2": "tau2"}, "i2 must be one of"),
    ],
)
def test_what_cannot_be_done_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        pool(made(), **options)


def test_pool_asks_for_effect_sizes() -> None:
    with pytest.raises(InputError, match=r"balm\.EffectSizes"):
        pool(Y)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf])
def test_a_variance_that_cannot_be_is_refused_by_name(value: float) -> None:
    with pytest.raises(InputError, match="Study 2"):
        pool(made([0.1, 0.2, 0.3], [0.1, value, 0.1]))


@pytest.mark.parametrize(
    ("y", "v"), [([1.0, 2.0], [1e-300, 1.0]), ([1.0, 2.0], [1e300, 1.0]), ([1e150, 0.0], [1.0, 1.0])]
)
def test_sizes_whose_squares_have_no_room_are_refused(y: list[float], v: list[float]) -> None:
    with pytest.raises(InputError, match="another unit"):
        pool(made(y, v))


def test_explicit_arguments_win_over_the_profile() -> None:
    fit = pool(made(), profile="revman5", inference="hartung-knapp")
    assert fit.conventions["tau2"] == "DL"
    assert fit.conventions["inference"] == "hartung-knapp"
    assert fit.conventions["profile"] == "revman5"
    assert math.isnan(fit.prediction_interval.low)


def test_conventions_list_every_choice_in_force() -> None:
    found = pool(made()).conventions
    for name in ("profile", "method", "model", "tau2", "inference", "prediction", "i2", "tau2_interval", "level"):
        assert name in found


def test_a_given_tau2_is_taken() -> None:
    fit = pool(made(), tau2=0.25)
    assert fit.tau2 == 0.25
    assert fit.conventions["tau2"] == 0.25


def test_probability_beyond_a_threshold() -> None:
    fit = pool(made(), inference="wald", prediction="wald-normal")
    away = fit.probability_beyond(-0.2)
    assert away.direction == "below"
    se = fit.se
    by_hand = 0.5 * math.erfc(-(-0.2 - fit.estimate) / se / math.sqrt(2))
    assert away.mean == pytest.approx(by_hand, rel=1e-12)
    spread = math.sqrt(fit.tau2 + se**2)
    assert away.new_setting == pytest.approx(0.5 * math.erfc(-(-0.2 - fit.estimate) / spread / math.sqrt(2)), rel=1e-12)
    above = fit.probability_beyond(-0.2, direction="above")
    assert above.mean + away.mean == pytest.approx(1.0)
    assert fit.probability_beyond(fit.estimate).mean == pytest.approx(0.5)
    assert math.isnan(pool(made(), prediction="none").probability_beyond(0.1).new_setting)


def test_the_record_is_json_with_the_promised_names() -> None:
    record = pool(made(measure="RR")).to_dict()
    promised = [
        "measure",
        "model",
        "tau2_estimator",
        "inference",
        "k",
        "estimate",
        "se",
        "ci_low",
        "ci_high",
        "statistic",
        "df",
        "p",
        "tau2",
        "tau2_se",
        "i2",
        "h2",
        "q",
        "q_df",
        "q_p",
        "pi_low",
        "pi_high",
        "displayed",
        "conventions",
        "studies",
    ]
    assert set(promised) <= set(record)
    assert set(record["displayed"]) == {"estimate", "ci_low", "ci_high", "pi_low", "pi_high"}
    assert set(record["studies"][0]) == {"study", "effect", "variance", "weight"}
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["displayed"]["estimate"] == pytest.approx(math.exp(record["estimate"]))
    assert sum(s["weight"] for s in record["studies"]) == pytest.approx(100.0)
    frame = pool(made()).to_frame()
    assert frame["estimate"][0] == pool(made()).estimate


def test_weights_of_your_own() -> None:
    fit = pool(made(), weights="equal", tau2=0.2)
    assert fit.estimate == pytest.approx(Y.mean())
    assert fit.se == pytest.approx(math.sqrt(np.sum(V + 0.2)) / len(Y))
    assert fit.conventions["weights"] == "given"
