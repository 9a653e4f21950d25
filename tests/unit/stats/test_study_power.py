"""Power of the studies and the sunset plot: against direct computation, edges, bad input."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from scipy import stats

from balm.plots.sunset import _error_with
from balm.plots.sunset import sunset as drawn
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.excess_significance import excess_significance
from balm.stats.small_study.study_power import study_power
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
ES = EffectSizes(effect=[0.5, 0.42, 0.6, 0.1, 0.9], variance=[0.04, 0.02, 0.06, 0.01, 0.2], measure="RR")


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_power_and_what_rests_on_it(alpha: float) -> None:
    found = study_power(ES, theta=0.4, alpha=alpha)
    z, away = stats.norm.isf(alpha / 2), 0.4 / ES.se
    assert found.power == pytest.approx(stats.norm.sf(z - away) + stats.norm.cdf(-z - away), rel=1e-12)
    assert found.median == pytest.approx(np.median(found.power))
    share = float(np.mean(np.abs(ES.effect / ES.se) > z))
    assert found.significant == share
    assert found.r_index == pytest.approx(max(0.0, 2 * found.median - share))
    for size, power in ((found.effect_33, 0.33), (found.effect_66, 0.66)):
        assert study_power(ES, theta=size, alpha=alpha).median == pytest.approx(power, abs=1e-9)
        assert study_power(ES, theta=-size, alpha=alpha).median == pytest.approx(power, abs=1e-9)
    assert found.excess.p == excess_significance(ES, theta=0.4, alpha=alpha).p


def test_the_true_effect_is_the_common_mean_the_fit_or_a_number() -> None:
    fit = pool(ES)
    assert study_power(fit).theta == pytest.approx(pool(ES, model="common").estimate)
    assert study_power(fit, theta="fit").theta == pytest.approx(fit.estimate)
    assert study_power(fit, theta="fit").excess.tau2 == 0.0
    nothing = study_power(ES, theta=0.0)
    assert nothing.power == pytest.approx(0.05)
    assert study_power(ES, alpha=0.4).effect_33 == 0.0


def test_bands_end_where_the_power_is_reached() -> None:
    found = study_power(ES, theta=0.4)
    for power in (0.2, 0.5, 0.8):
        se = _error_with(power, found, 1.0)
        z = stats.norm.isf(0.025)
        assert stats.norm.sf(z - 0.4 / se) + stats.norm.cdf(-z - 0.4 / se) == pytest.approx(power, abs=1e-9)
    assert _error_with(0.1, found, 0.2) == 0.2  # every study on the picture has more
    assert _error_with(0.5, study_power(ES, theta=0.0), 1.0) == 0.0


@pytest.mark.parametrize("theta", ["common", 0.0, -0.8])
def test_the_plot_has_every_study_and_says_what_it_shows(theta: float | str) -> None:
    found = study_power(ES, theta=theta)
    figure = found.plot(title="A title")
    root = ET.fromstring(figure.svg)
    assert len(list(root.iter(f"{SVG}circle"))) == len(ES)
    texts = {e.text for e in root.iter(f"{SVG}text")}
    assert {"A title", "Power", "Standard error"} <= texts
    assert "median power" in figure.description
    assert "Median power" in "".join(text or "" for text in texts)


def test_it_prints_and_writes() -> None:
    found = study_power(ES)
    assert "R-index" in repr(found) and found.to_dict()["k"] == 5
    assert list(found.to_frame()["power"]) == found.power.tolist()
    with pytest.raises(InputError, match=r"balm\.study_power"):
        drawn(ES)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="theta must be one of"):
        study_power(ES, theta="mean")
    with pytest.raises(InputError, match="finite number"):
        study_power(ES, theta=float("nan"))
    with pytest.raises(InputError, match="alpha must lie"):
        study_power(ES, alpha=5)
