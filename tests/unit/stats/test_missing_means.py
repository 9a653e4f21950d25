"""Missing measured outcomes: identities with what was observed, and simulation of the model itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import gammaln

import balm
from balm.stats.missing_means import missing_means
from balm.vocabulary.problems import InputError

SEEN: dict[str, Any] = {
    "mean_1": [12.0, 10.0], "sd_1": [5.0, 4.0], "n_1": [40, 30],
    "mean_2": [15.0, 14.0], "sd_2": [6.0, 5.0], "n_2": [42, 28],
}  # fmt: skip
GONE: dict[str, Any] = {"missing_1": [10, 6], "missing_2": [8, 7]}


@pytest.mark.parametrize("measure", ["MD", "SMD", "ROM"])
def test_like_the_observed_is_the_observed(measure: str) -> None:
    seen = balm.effect_sizes(measure, **SEEN, **({"small_sample": "none"} if measure == "ROM" else {}))
    for found in (
        missing_means(measure, **SEEN, **GONE),
        missing_means(measure, imrom_1=1.0, imrom_2=[1.0, 1.0], **SEEN, **GONE),
        missing_means(measure, imdom_1=5.0, imdom_sd_1=3.0, missing_1=0, missing_2=0, **SEEN),
    ):
        assert found.effect == pytest.approx(seen.effect, abs=1e-14)
        assert found.variance == pytest.approx(seen.variance, rel=1e-13)
    assert missing_means(measure, **SEEN, **GONE).note == ("missing 20% and 16%", "missing 17% and 20%")


def test_a_known_difference_shifts_by_the_share_missing() -> None:
    found = missing_means(imdom_1=2.0, imdom_2=[-1.0, 0.0], **SEEN, **GONE)
    assert found.effect == pytest.approx([-3.0 + 0.2 * 2.0 + 0.16, -4.0 + 2.0 / 6.0])
    seen = balm.effect_sizes("MD", **SEEN).variance
    assert found.variance == pytest.approx(
        seen + np.array([4.0 * 0.2 * 0.8 / 50 + 0.16 * 0.84 / 50, 4.0 * (1 / 6) * (5 / 6) / 36]), rel=1e-12
    )


@pytest.mark.parametrize(
    "prior",
    [
        {"imdom_1": 2.0, "imdom_2": -1.0, "imdom_sd_1": 3.0, "imdom_sd_2": 2.0, "correlation": 0.6},
        {"imrom_1": 1.2, "imrom_2": 0.9, "log_imrom_sd_1": 0.3, "log_imrom_sd_2": 0.4, "correlation": -0.5},
    ],
)
def test_mean_and_variance_are_those_of_draws_from_the_model(prior: dict[str, float]) -> None:
    """Observed means, shares missing and priors drawn a million times; the tolerance is four Monte-Carlo errors."""
    found = missing_means(**prior, **SEEN, **GONE)  # type: ignore[arg-type]
    rng = np.random.default_rng(1)
    draws = 1_000_000
    ratio = "imrom_1" in prior
    sd = [prior["log_imrom_sd_1" if ratio else "imdom_sd_1"], prior["log_imrom_sd_2" if ratio else "imdom_sd_2"]]
    u = rng.standard_normal((2, draws))
    u[1] = prior["correlation"] * u[0] + np.sqrt(1.0 - prior["correlation"] ** 2) * u[1]
    total = []
    for i in (1, 2):
        n, gone = SEEN[f"n_{i}"][0], GONE[f"missing_{i}"][0]
        a = gone / (n + gone)
        share = rng.normal(a, np.sqrt(a * (1.0 - a) / (n + gone)), draws)
        x = rng.normal(SEEN[f"mean_{i}"][0], SEEN[f"sd_{i}"][0] / np.sqrt(n), draws)
        if ratio:
            total.append(x * (1.0 + share * (prior[f"imrom_{i}"] * np.exp(sd[i - 1] * u[i - 1]) - 1.0)))
        else:
            total.append(x + share * (prior[f"imdom_{i}"] + sd[i - 1] * u[i - 1]))
    effect = total[0] - total[1]
    assert abs(float(np.mean(effect)) - found.effect[0]) < 4.0 * np.sqrt(found.variance[0] / draws)
    # products of two errors, which no variance to first order has, are below a hundredth here
    assert float(np.var(effect)) == pytest.approx(found.variance[0], rel=0.015)


def test_the_ratio_takes_the_means_to_first_order() -> None:
    prior: dict[str, Any] = {"imdom_1": 2.0, "imdom_2": 1.0, "imdom_sd_1": 1.0, "imdom_sd_2": 1.0, "correlation": 1.0}
    one, other = (
        missing_means("MD", **prior | {"imdom_sd_1": s, "imdom_sd_2": t, "correlation": 0.0}, **SEEN, **GONE)
        for s, t in ((1.0, 0.0), (0.0, 1.0))
    )
    both = missing_means("MD", **prior, **SEEN, **GONE)
    plain = missing_means("MD", **prior | {"imdom_sd_1": 0.0, "imdom_sd_2": 0.0, "correlation": 0.0}, **SEEN, **GONE)
    a = np.array([[0.2, 1 / 6], [0.16, 0.2]])
    assert one.variance + other.variance - plain.variance - both.variance == pytest.approx(2.0 * a[0] * a[1], rel=1e-9)
    ratio = missing_means("ROM", **prior, **SEEN, **GONE)
    total = np.array([[12.4, 10.0 + 2.0 / 6.0], [15.16, 14.2]])
    assert ratio.effect == pytest.approx(np.log(total[0] / total[1]), rel=1e-12)


@pytest.mark.parametrize(
    "prior",
    [
        {"imdom_1": 2.0, "imdom_2": -1.0, "imdom_sd_1": 3.0, "imdom_sd_2": 2.0, "correlation": 0.6},
        {"imrom_1": 1.2, "imrom_2": 0.9, "log_imrom_sd_1": 0.3, "log_imrom_sd_2": 0.4},
    ],
)
def test_the_standardised_difference_is_in_standard_deviations_of_the_observed(prior: dict[str, float]) -> None:
    """Of equal spreads it is the mean difference over the pooled SD, with that one's own error on top (drawn)."""
    seen = SEEN | {"sd_1": [5.0, 4.0], "sd_2": [5.0, 4.0]}
    sd, n = np.array([5.0, 4.0]), np.array([82, 58])
    found, plain = missing_means("SMD", **prior, **seen, **GONE), missing_means("MD", **prior, **seen, **GONE)  # type: ignore[arg-type]
    j = np.exp([gammaln((m - 2) / 2) - np.log(np.sqrt((m - 2) / 2)) - gammaln((m - 3) / 2) for m in n])
    assert found.effect == pytest.approx(j * plain.effect / sd, rel=1e-12)
    rng = np.random.default_rng(2)
    for i in (0, 1):
        difference = rng.normal(plain.effect[i], plain.se[i], 400_000)
        drawn = sd[i] * np.sqrt(rng.chisquare(n[i] - 2, 400_000) / (n[i] - 2))
        assert float(np.var(j[i] * difference / drawn)) == pytest.approx(found.variance[i], rel=0.05)
        assert float(np.mean(j[i] * difference / drawn)) == pytest.approx(plain.effect[i] / sd[i], abs=3e-3)
    unequal = missing_means("SMD", **prior, **SEEN, **GONE)  # type: ignore[arg-type]
    pooled = np.sqrt((39 * 25 + 41 * 36) / 80)
    want = missing_means("MD", **prior, **SEEN | {"sd_1": [pooled, 4.0], "sd_2": [pooled, 4.0]}, **GONE)  # type: ignore[arg-type]
    assert unequal.variance[0] == pytest.approx(want.variance[0] / pooled**2 + unequal.effect[0] ** 2 / 164, rel=1e-12)


def test_what_is_wrong_is_said() -> None:
    for said, match in (
        ({"imdom_1": 1.0, "imrom_1": 2.0}, "give one kind"),
        ({"imrom_1": 0.0}, "imrom_1 must be above 0 and finite"),
        ({"imdom_2": [1.0, 2.0, 3.0]}, "one number or one a study"),
        ({"imdom_1": float("nan")}, "imdom_1 must be finite"),
        ({"imdom_sd_1": -1.0}, "imdom_sd_1 must be a standard deviation"),
        ({"correlation": 0.5}, "needs imdom_sd_1 and imdom_sd_2 above 0"),
        ({"measure": "SMDH"}, "measure must be one of"),
        ({"measure": "ROM", "imdom_1": -100.0}, "not above 0; no ratio"),
    ):
        with pytest.raises(InputError, match=match):
            missing_means(**said, **SEEN, **GONE)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Study 2: a ratio of means needs means above 0; mean_1 is -1"):
        missing_means(imrom_1=2.0, **SEEN | {"mean_1": [12.0, -1.0]}, **GONE)
    with pytest.raises(InputError, match="whole number of participants"):
        missing_means(**SEEN, **GONE | {"missing_1": [1.5, 2]})
