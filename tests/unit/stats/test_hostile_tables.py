"""Tables as people have them: levels nobody has, missing moderators, text for numbers, columns almost alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.dependence import aggregate
from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.multilevel import multilevel
from balm.stats.regression.meta_regression import MetaRegression, meta_regression
from balm.vocabulary.problems import InputError

pd = pytest.importorskip("pandas")
pytest.importorskip("formulaic")

Y = [0.43, 0.19, -1.2, -0.6, 0.1, -0.4, -0.9, -1.5]
V = [0.08, 0.2, 0.15, 0.1, 0.3, 0.12, 0.09, 0.2]
X = np.array([0.3, -1.1, 0.7, 1.9, -0.2, 0.5, 1.1, -0.6])


def regression(moderators: Any, **columns: Any) -> MetaRegression:
    return meta_regression(EffectSizes(effect=Y, variance=V), moderators, data=pd.DataFrame({"x": X} | columns))


def test_a_level_that_no_study_has_is_no_moderator() -> None:
    """Rows taken out of a table leave their level behind."""
    labels = list("aabbaabb")
    fit = regression("~ group", group=pd.Categorical(labels, categories=["a", "b", "gone"]))
    plain = regression("~ group", group=labels)
    assert fit.design.names == plain.design.names == ("intercept", "group[T.b]")
    assert fit.beta == pytest.approx(plain.beta, abs=0)


def test_a_missing_moderator_is_named_with_its_row() -> None:
    gone = [*X[:4], None, *X[5:]]
    for column in (gone, pd.array(gone, dtype="Float64"), [None if v is None else str(v) for v in gone]):
        with pytest.raises(InputError, match="row 5, column y: the moderator is missing; complete it"):
            regression("~ y", y=column)


def test_what_is_no_number_is_refused_in_words() -> None:
    es = EffectSizes(effect=Y, variance=V)
    with pytest.raises(InputError, match="dose must hold numbers; got"):
        meta_regression(es, {"dose": list("abcdefgh")})
    with pytest.raises(InputError, match="formula '~ t': "):
        regression("~ t", t=pd.to_timedelta(range(8), unit="D"))
    fit = meta_regression(es, {"dose": X})
    with pytest.raises(InputError, match="dose must hold numbers; got"):
        fit.predict({"dose": ["high"]})


def test_inflation_of_columns_almost_alike_is_huge_not_negative() -> None:
    """The inverse of a matrix of correlations has no digits left here; it was -2e15."""
    other = X + 1e-7 * np.array([1.0, -1, 2, 0, 1, -2, 1, 0])
    found = regression("~ x + other", other=other).vif()
    # 1 / (1 - R2) of the weighted regression of one on the other, in 50 digits
    mpmath = pytest.importorskip("mpmath")
    fit = regression("~ x + other", other=other)
    with mpmath.workdps(50):
        w = [1 / (mpmath.mpf(v) + mpmath.mpf(fit.tau2)) for v in V]

        def cross(a: Any, b: Any) -> Any:
            centre = [sum(p * q for p, q in zip(w, c, strict=True)) / sum(w) for c in (a, b)]
            return sum(p * (q - centre[0]) * (r - centre[1]) for p, q, r in zip(w, a, b, strict=True))

        a, b = ([mpmath.mpf(float(v)) for v in c] for c in (X, other))
        want = 1 / (1 - cross(a, b) ** 2 / (cross(a, a) * cross(b, b)))
    assert float(want) > 1e13
    assert list(found.values()) == pytest.approx([float(want)] * 2, rel=1e-6)


def test_effects_that_are_all_zero_or_huge_fit_without_a_warning() -> None:
    labels = {"site": list("aabbccdd")}
    none = multilevel(EffectSizes(effect=[0.0] * 8, variance=[0.1] * 8), random="site/effect", data=labels)
    assert (none.estimate, none.sigma2.tolist()) == (0.0, [0.0, 0.0])
    one, far = (
        multilevel(EffectSizes(effect=s * np.arange(8.0), variance=[s * s] * 8), random="site", data=labels)
        for s in (1.0, 1e100)
    )
    assert far.estimate == pytest.approx(1e100 * one.estimate, rel=1e-10)
    assert far.sigma2[0] == pytest.approx(1e200 * one.sigma2[0], rel=1e-7)


def test_effects_without_a_study_are_not_one_study() -> None:
    for label in (None, float("nan")):
        with pytest.raises(InputError, match=r"study\[1\] is missing"):
            aggregate(effect=[0.1, 0.2, 0.3], variance=[0.1] * 3, study=["a", label, label], correlation=0.5)


def test_variances_24_orders_of_magnitude_apart_raise_no_traceback() -> None:
    es = EffectSizes(effect=[0.1, 0.2, 0.5], variance=[1e-12, 1.0, 1e12])
    fit = meta_regression(es, "~ 1", data={"x": [1, 2, 3]})
    assert fit.beta[0] == pytest.approx(0.1, abs=1e-9)
    assert np.isnan(fit.tau2_se) or fit.tau2_se > 0.0
