"""Profile intervals of every entry of a covariance structure, and maxima that one start does not find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.entries import compound_symmetry_as_read, read_from, unstructured_as_read
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel
from balm.vocabulary.problems import InputError

# fmt: off
Y = [0.5, -0.39, -0.2, 0.82, 0.62, 0.32, 0.09, 0.45, 0.26, 0.64, -0.23, 0.46, 0.51, 0.94, 0.57, 0.55, 1.11, -0.06,
     0.17, 0.63, 0.03, 0.04, 0.08, -0.3, 0.63, 0.69, 0.53, 0.39, 1.1, 0.39]
V = [0.015, 0.03, 0.034, 0.011, 0.016, 0.047, 0.013, 0.015, 0.048, 0.035, 0.025, 0.03, 0.037, 0.021, 0.016, 0.042,
     0.037, 0.03, 0.043, 0.032, 0.049, 0.018, 0.032, 0.029, 0.024, 0.034, 0.019, 0.042, 0.045, 0.015]
EAST = [2.3, 1.4, 0.4, 4.5, 2.1, 0.7, 3.4, 1.0, 4.5, 1.1, 0.2, 1.0, 1.7, 2.3, 4.5, 3.5, 1.7, 0.1, 0.8, 5.0, 2.3, 3.5,
        0.3, 0.2, 4.2, 2.9, 1.5, 1.6, 0.4, 0.9]
NORTH = [0.1, 4.2, 2.3, 0.6, 3.7, 1.0, 0.3, 3.0, 4.5, 0.1, 4.0, 1.0, 0.5, 0.1, 1.5, 3.6, 2.5, 4.3, 1.1, 1.6, 1.3, 4.9,
         4.7, 1.7, 2.2, 1.6, 3.7, 0.2, 0.3, 2.0]
TIME = [0.1, 1.4, 2.4, 3.3, 4.3, 0.3, 1.4, 2.5, 3.1, 4.3, 0.1, 1.2, 2.4, 3.4, 4.4, 0.0, 1.2, 2.1, 3.5, 4.1, 0.1, 1.2,
        2.0, 3.4, 4.3, 0.1, 1.2, 2.0, 3.3, 4.1]
# fmt: on
SITE = np.repeat(np.arange(6), 5).tolist()


def fitted(random: str, structure: str, time: Any = TIME, **options: Any) -> Multilevel:
    data = {"site": SITE, "east": EAST, "north": NORTH, "time": time}
    return multilevel(
        EffectSizes(effect=Y, variance=V), random=random, structure=structure, data=data, inference="wald", **options
    )


def periodontal(structure: str) -> Multilevel:
    """Berkey et al. (1998): two outcomes in five trials."""
    blocks = [
        [[0.0075, 0.0030], [0.0030, 0.0077]],
        [[0.0057, 0.0009], [0.0009, 0.0008]],
        [[0.0021, 0.0007], [0.0007, 0.0014]],
        [[0.0029, 0.0009], [0.0009, 0.0015]],
        [[0.0148, 0.0072], [0.0072, 0.0304]],
    ]
    es = EffectSizes(
        effect=[0.47, -0.32, 0.20, -0.60, 0.40, -0.12, 0.26, -0.31, 0.56, -0.39],
        variance=[b[i][i] for b in blocks for i in (0, 1)],
    )
    depth = [1, 0] * 5
    return multilevel(
        es,
        {"depth": depth, "level": [1 - d for d in depth]},
        intercept=False,
        random="outcome | trial",
        structure=structure,
        V=blocks,
        data={"outcome": depth, "trial": np.repeat(np.arange(5), 2)},
        inference="wald",
    )


# rma.mv(yi, vi, random = ~ east + north | site, struct =, method = "ML"), metafor 3.8-1: the log-likelihood.
@pytest.mark.parametrize(("structure", "height"), [("SPGAU", -13.8721164441682), ("SPEXP", -13.8763228562895)])
def test_a_maximum_at_a_short_range_is_found(structure: str, height: float) -> None:
    """Starts at ranges that reach some places only ended where nothing correlates, 0.004 and 0.0002 lower."""
    fit = fitted("east + north | site", structure, method="ML")
    assert fit.log_likelihood == pytest.approx(height, abs=1e-8)


@pytest.mark.parametrize("unit", [1.0, 0.01, 1 / 36525, 100.0])
def test_the_unit_of_time_does_not_change_a_continuous_time_model(unit: float) -> None:
    """The bound on rho stood at 1e-10 in the user's unit: in centuries a gap of a year had rho above 0.79."""
    fit = fitted("time | site", "CAR", time=[unit * t for t in TIME])
    # rma.mv(yi, vi, random = ~ time | site, struct = "CAR"), metafor 3.8-1
    assert fit.log_likelihood == pytest.approx(-13.9001257901862, abs=1e-9)
    assert fit.tau2[0] == pytest.approx(0.124306143137567, rel=1e-5)
    if unit > 1e-3:  # in centuries rho is below the least double
        assert fit.rho[0] ** unit == pytest.approx(0.0989819002818131, rel=1e-4)
        ends = fit.component_interval("time | site: rho")
        assert ends.high**unit == pytest.approx(0.5652556637337, rel=1e-7)
        drop = fit.profile("time | site: rho", [ends.high]).log_likelihood[0] - fit.log_likelihood
        assert drop == pytest.approx(-1.9207294103, abs=1e-6)


def test_compound_symmetry_is_profiled_as_read() -> None:
    fit = periodontal("CS")
    assert fit.parameter_names == ("outcome | trial: tau2", "outcome | trial: rho")
    rho = fit.component_interval(1)
    # confint(rma.mv(..., struct = "CS"), control = list(tol = 1e-9)), metafor 3.8-1; it finds no upper end.
    assert rho.low == pytest.approx(-0.609050511598, abs=1e-8)
    inside = fit.profile(1, [rho.low, rho.high]).log_likelihood - fit.log_likelihood
    assert inside == pytest.approx([-1.9207294103] * 2, abs=1e-7)


def test_unstructured_entries_are_profiled_one_by_one() -> None:
    fit = periodontal("UN")
    names = tuple(f"outcome | trial: {n}" for n in ("tau[1]", "tau[2]", "rho[1,2]"))
    assert fit.parameter_names == names
    at = [fit.tau2[0], fit.tau2[1], fit.rho[0]]
    for name, estimate in zip(names, at, strict=True):
        assert fit.profile(name, [estimate]).log_likelihood[0] == pytest.approx(fit.log_likelihood, abs=1e-9)
    # Two levels: HCS is the same model, with these parameters.
    twin = periodontal("HCS")
    for i, value in enumerate([0.06, 0.04, -0.4]):
        heights = [f.profile(i, [value]).log_likelihood[0] for f in (fit, twin)]
        assert heights[0] == pytest.approx(heights[1], abs=1e-9)
    # Even a correlation of 1 is inside (metafor 3.8-1 ends at 0.92 with a warning that it did not converge).
    ends = fit.component_interval(2)
    assert ends.high == 1.0
    drop = fit.profile(2, [ends.low]).log_likelihood[0] - fit.log_likelihood
    assert drop == pytest.approx(-1.9207294103, abs=1e-7)


@pytest.mark.parametrize("pair", [(0, 1), (2, 0), (1, 2)])
def test_the_read_parameters_give_the_same_matrix_and_its_slopes(pair: tuple[int, int]) -> None:
    root = np.tril(np.random.default_rng(1).normal(size=(3, 3)))
    structure = unstructured_as_read(3, *pair)
    p = read_from(root, *pair)
    matrix = root @ root.T
    assert structure.values(p)[1:] == pytest.approx(matrix.ravel(), abs=1e-12)
    i, j = pair
    assert p[0] ** 2 == pytest.approx(matrix[i, i])
    assert np.sin(p[2]) == pytest.approx(matrix[i, j] / np.sqrt(matrix[i, i] * matrix[j, j]))
    for one, q in ((structure, p), (compound_symmetry_as_read(3, 3), np.array([0.4, 0.2]))):
        for a in range(len(q)):
            step = q.astype(complex)
            step[a] += 1e-30j
            assert one.jacobian(q)[a] == pytest.approx(one.values(step).imag / 1e-30, abs=1e-12)


def test_what_cannot_be_profiled_is_refused() -> None:
    fit = fitted("time | site", "CAR")
    with pytest.raises(InputError, match="component must be one of"):
        fit.component_interval("phi")
    with pytest.raises(InputError, match="within the range of time"):
        fit.profile(1, [1.5])
