"""Multimodel inference: weights and averages against fits one by one, R's figures, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import balm
from balm.stats.regression.multimodel import multimodel
from balm.vocabulary.problems import InputError
from tests.unit.stats.test_location_scale import EFFECT, VARIANCE

# The 41 studies of Bangert-Drowns et al. 2004 with all seven moderators (rows from 0).
ROWS = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
        35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 47]  # fmt: skip
MODERATORS = {
    "length": [15, 2, 9, 14, 1, 4, 15, 4, 9, 15, 15, 8, 4, 14, 15, 4, 3, 24, 19, 4, 12, 1, 1, 1, 1, 14, 20, 10, 7, 11,
               1, 6, 15, 15, 2, 4, 24, 11, 15, 8, 15],
    "wic": [1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0,
            1, 0, 1, 1, 1],
    "feedback": [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1,
                 0, 1, 1, 1, 0, 0, 1],
    "info": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0,
             1, 1, 1, 1, 1, 1],
    "pers": [1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1,
             0, 1, 0, 0, 1, 0],
    "imag": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
             0, 0, 0, 0, 0],
    "meta": [1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0,
             1, 0, 0, 1, 0],
}  # fmt: skip
STUDIES = balm.EffectSizes(effect=np.array(EFFECT)[ROWS], variance=np.array(VARIANCE)[ROWS])
THREE = {name: MODERATORS[name] for name in ("length", "feedback", "meta")}


def test_writing_to_learn_as_128_fits_in_metafor() -> None:
    """metafor 3.8: rma(mods=, method="ML") of every subset, weighed and averaged by hand in R."""
    found = multimodel(STUDIES, MODERATORS)
    close = pytest.approx
    assert len(found.models) == 128 and found.k == 41
    assert [m.terms for m in found.models[:4]] == [
        ("imag",),
        ("imag", "meta"),
        ("feedback", "imag"),
        ("length", "imag"),
    ]
    assert [m.criterion for m in found.models[:3]] == close([13.5022466070, 13.5045144235, 14.0031485929], abs=1e-8)
    assert [m.weight for m in found.models[:3]] == close([0.0670569025849, 0.0669809093034, 0.0522004209120], abs=1e-9)
    importance = [0.325539221122, 0.264263276165, 0.367132010916, 0.241565771175, 0.291322479532, 0.847824233189,
                  0.424365456128]  # fmt: skip
    assert list(found.importance.values()) == close(importance, abs=1e-8)
    assert [c.importance for c in found.coefficients] == close([1.0, *importance], abs=1e-8)
    assert [c.models for c in found.coefficients] == [128, *[64] * 7]
    assert [c.estimate for c in found.coefficients] == close(
        [0.10839928772237, 0.00227200071392, -0.01700433401916, 0.03660280822668, -0.01827025755420, 0.01324362091474,
         0.35116048398804, 0.05119929411385], abs=1e-9)  # fmt: skip
    assert [c.se for c in found.coefficients] == close(
        [0.10309853714838, 0.00501876105152, 0.05446308364983, 0.06892423080348, 0.07990693284698, 0.06878524152037,
         0.20164458671598, 0.08528571654877], abs=1e-9)  # fmt: skip
    original = found.averaged(errors="original")
    assert [c.se for c in original] == close(
        [0.09560726681335, 0.00413816682611, 0.03933539537638, 0.06070948390071, 0.05162721117174, 0.04467649897901,
         0.18952367098056, 0.07669669052643], abs=1e-9)  # fmt: skip
    conditional = found.averaged(average="conditional")
    assert [c.estimate for c in conditional[5:]] == close(
        [0.04546034667849, 0.41419019443137, 0.12064906173324], abs=1e-9
    )
    assert [c.se for c in conditional[5:]] == close([0.12155886403154, 0.14782557868829, 0.09360032202667], abs=1e-9)


@pytest.mark.parametrize("criterion", ["AICc", "AIC", "BIC"])
@pytest.mark.parametrize("model", ["random", "common"])
def test_every_model_is_the_meta_regression_of_its_terms(criterion: str, model: str) -> None:
    found = multimodel(STUDIES, THREE, criterion=criterion, model=model)
    assert {m.terms for m in found.models} == {
        (), ("length",), ("feedback",), ("meta",), ("length", "feedback"), ("length", "meta"), ("feedback", "meta"),
        ("length", "feedback", "meta"),
    }  # fmt: skip
    for rank, row in enumerate(found.models, 1):
        alone = balm.meta_regression(
            STUDIES, {n: THREE[n] for n in row.terms}, inference="wald",
            **({"model": "common"} if model == "common" else {"tau2": "ML"}),
        )  # fmt: skip
        assert row.criterion == pytest.approx(alone.fit_statistics["ML"][criterion.lower()], abs=1e-9)
        assert found.fit(rank).beta == pytest.approx(alone.beta, abs=1e-12)
        assert found.beta[rank - 1][found.present[rank - 1] == 1.0] == pytest.approx(alone.beta, abs=1e-9)
    assert np.sum(found.weights) == pytest.approx(1.0)
    ratio = math.exp(-0.5 * (found.models[1].criterion - found.models[0].criterion))
    assert found.weights[1] / found.weights[0] == pytest.approx(ratio)


def test_averages_are_sums_over_models() -> None:
    found = multimodel(STUDIES, THREE, inference="hartung-knapp")
    fits = [found.fit(i + 1) for i in range(8)]
    w = found.weights
    new = {"length": [10.0], "feedback": [1.0], "meta": [0.0]}
    means, spreads = [], []
    z = 1.959963984540054
    for fit in fits:
        here = {n: new[n] for n in fit.design.names if n != "intercept"}
        one = fit.predict(here if here else np.empty((1, 0)))[0]
        means.append(one.estimate)
        spreads.append(one.se**2 * (fit.critical / z) ** 2)
    average = float(w @ means)
    predicted = found.predict(new)[0]
    assert predicted.estimate == pytest.approx(average, rel=1e-12)
    assert predicted.se == pytest.approx(math.sqrt(float(w @ (spreads + (np.array(means) - average) ** 2))), rel=1e-9)
    assert len(found.predict()) == 41
    share, total = found.confidence_set(0.5), 0.0
    for m in found.models[: len(share) - 1]:
        total += m.weight
    assert total < 0.5 <= total + share[-1].weight
    assert len(found.confidence_set(1.0)) == 8


def test_terms_that_always_stay_and_interactions_with_their_main_effects() -> None:
    found = multimodel(STUDIES, THREE, always="meta")
    assert len(found.models) == 4 and all("meta" in m.terms for m in found.models)
    assert found.importance["meta"] == pytest.approx(1.0)
    crossed = multimodel(STUDIES, "~ length * meta", data=THREE)
    assert sorted(m.terms for m in crossed.models) == [
        (), ("length",), ("length", "meta"), ("length", "meta", "length:meta"), ("meta",)
    ]  # fmt: skip
    factor = multimodel(STUDIES, "~ C(grade)", data={"grade": ["a", "b", "c"] * 13 + ["a", "b"]})
    assert len(factor.models) == 2 and factor.beta.shape == (2, 3)
    forced = multimodel(STUDIES, "~ length * meta + feedback", data=THREE, always="length:meta")
    assert len(forced.models) == 2
    assert all({"length", "meta", "length:meta"} <= {*m.terms} for m in forced.models)


def test_tables_and_words() -> None:
    found = multimodel(STUDIES, THREE)
    text = repr(found)
    assert (
        "8 models of 41 studies by AICc, full average" in text and "importance" in text and "95% confidence set" in text
    )
    assert "<pre>" in found._repr_html_()
    best = " + ".join(found.models[0].terms) or "intercept only"
    assert next(iter(found.models_frame()["model"])) == best
    assert list(found.to_frame()["coefficient"]) == ["intercept", "length", "feedback", "meta"]
    assert len(found.to_dict()["models"]) == 8
    assert found["meta"].estimate == found.coefficients[3].estimate
    few = multimodel(STUDIES[:12], {"a": range(12), "b": [1, 0] * 6})
    assert "unstable" in few.advice[0] and not found.advice


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(InputError, match="compared by maximum likelihood"):
        multimodel(STUDIES, THREE, tau2="REML")
    with pytest.raises(InputError, match="has no effect"):
        multimodel(STUDIES, THREE, model="common", tau2="ML")
    with pytest.raises(InputError, match="share the intercept"):
        multimodel(STUDIES, "~ 0 + length", data=THREE)
    with pytest.raises(InputError, match="at least one moderator"):
        multimodel(STUDIES, "~ 1")
    with pytest.raises(InputError, match="more than 20,000"):
        multimodel(STUDIES, {f"x{i}": np.random.default_rng(i).normal(size=41) for i in range(15)})
    with pytest.raises(InputError, match="always must be one of"):
        multimodel(STUDIES, THREE, always=["height"])
    with pytest.raises(InputError, match="missing or not finite in study 2"):
        multimodel(STUDIES[:9], {"x": [1.0, math.nan, *range(7)]})
    with pytest.raises(InputError, match="takes effect sizes"):
        multimodel([1.0], THREE)  # type: ignore[arg-type]
    found = multimodel(STUDIES, THREE)
    with pytest.raises(InputError, match="no coefficient 'x'"):
        found["x"]
    with pytest.raises(InputError, match="share must lie"):
        found.confidence_set(0.0)
    with pytest.raises(InputError, match="rank must lie between 1 and 8"):
        found.fit(9)
    with pytest.raises(InputError, match="errors must be one of"):
        found.averaged(errors="naive")
