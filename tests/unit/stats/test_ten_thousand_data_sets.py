"""Ten thousand random data sets: no exception, no warning, invariances, and a slow obvious twin.

One to sixty studies; effects that agree, differ or are equal; variances over six powers of ten; units from 1e-8 to
1e8; 2x2 tables with zero cells and double zeros. Warnings are errors in this suite.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pool_many import PooledMany, pool_many
from balm.vocabulary.problems import InputError
from tests.naive import Floats

SETS = 10_000
RNG = np.random.default_rng(20_261_122)
SIZES = np.concatenate([np.repeat([1, 2, 3, 60], 250), RNG.integers(1, 61, SETS - 1000)])
GROUP = np.repeat(np.arange(SETS), SIZES)
FIRST = np.concatenate([[0], np.cumsum(SIZES)])
SCALE = 10.0 ** RNG.uniform(-8.0, 8.0, SETS)
#: How each set's effects come about: no heterogeneity, some, much, far too equal, all equal.
KIND = RNG.choice(5, SETS, p=[0.3, 0.3, 0.2, 0.15, 0.05])


def generic() -> tuple[Floats, Floats]:
    v = np.exp(RNG.normal(-2.0, RNG.choice([0.0, 0.8, 2.5], SETS)[GROUP], len(GROUP)))
    noise = RNG.normal(size=len(GROUP)) * np.sqrt(v)
    tau = np.array([0.0, 0.3, 3.0, 0.0, 0.0])[KIND][GROUP]
    shrink = np.array([1.0, 1.0, 1.0, 1e-3, 0.0])[KIND][GROUP]
    y = 0.4 + shrink * (noise + RNG.normal(size=len(GROUP)) * tau)
    return y * SCALE[GROUP], v * SCALE[GROUP] ** 2


Y, V = generic()
FITS = {tau2: pool_many(Y, V, GROUP, tau2=tau2) for tau2 in ("REML", "DL", "PM")}
SEVERAL = np.flatnonzero(SIZES > 1)


def rows(i: int) -> slice:
    return slice(int(FIRST[i]), int(FIRST[i + 1]))


def test_everything_is_estimated_where_it_can_be() -> None:
    for fit in FITS.values():
        assert np.isfinite(fit.estimate).all() and (fit.se > 0.0).all()
        for name in ("tau2", "i2", "q", "q_p", "tau2_se"):
            found = getattr(fit, name)
            assert np.isfinite(found[SEVERAL]).all(), name
            assert np.isnan(found[SIZES == 1]).all(), name
        assert (fit.tau2[SEVERAL] >= 0.0).all() and ((fit.i2 >= 0.0) & (fit.i2 <= 100.0))[SEVERAL].all()
        assert ((fit.p >= 0.0) & (fit.p <= 1.0)).all()
        low, high = fit.interval.low, fit.interval.high
        assert ((low < fit.estimate) & (fit.estimate < high)).all()
    boundary = FITS["REML"].tau2[SEVERAL] == 0.0
    assert 0.2 < boundary.mean() < 0.8  # many sets on either side of the boundary


@pytest.mark.parametrize("tau2", ["REML", "DL", "PM"])
@pytest.mark.parametrize("change", ["unit", "origin", "sign", "order"])
def test_unit_origin_sign_and_order_do_not_matter(tau2: str, change: str) -> None:
    fit, y, v = FITS[tau2], Y, V
    factor = np.ones(SETS)
    shift = np.zeros(SETS)
    order = np.arange(len(Y))
    if change == "unit":
        factor = 1.0 / SCALE
    elif change == "origin":
        shift = 3.0 * SCALE
    elif change == "sign":
        factor = -factor
    else:
        order = np.lexsort((RNG.random(len(Y)), GROUP))
    moved = pool_many((y * factor[GROUP] + shift[GROUP])[order], (v * factor[GROUP] ** 2)[order], GROUP, tau2=tau2)
    unit = np.abs(factor) * SCALE
    close(moved.estimate, fit.estimate * factor + shift, unit)
    close(moved.se, fit.se * np.abs(factor), unit)
    close(moved.tau2[SEVERAL], (fit.tau2 * factor**2)[SEVERAL], unit[SEVERAL] ** 2)
    close(moved.i2[SEVERAL], fit.i2[SEVERAL], 1.0, 1e-6)
    if change != "origin":
        close(moved.p, fit.p, 1.0)


def close(got: Floats, want: Floats, size: Floats | float, rtol: float = 1e-8) -> None:
    apart = np.abs(got - want) / (np.abs(want) + size)
    assert apart.max() <= rtol, (int(np.argmax(apart)), apart.max())


def test_dersimonian_and_laird_by_hand() -> None:
    fit = FITS["DL"]
    for i in SEVERAL.tolist():
        y, v = Y[rows(i)].tolist(), V[rows(i)].tolist()
        w = [1.0 / x for x in v]
        total = sum(w)
        centre = sum(a * b for a, b in zip(w, y, strict=True)) / total
        q = sum(a * (b - centre) ** 2 for a, b in zip(w, y, strict=True))
        k = len(y)
        tau2 = max(0.0, (q - (k - 1)) / (total - sum(a * a for a in w) / total))
        w = [1.0 / (x + tau2) for x in v]
        mean = sum(a * b for a, b in zip(w, y, strict=True)) / sum(w)
        wald = sum(w) ** -0.5
        factor = sum(a * (b - mean) ** 2 for a, b in zip(w, y, strict=True)) / (k - 1)
        unit = SCALE[i]
        # Two loops of additions lose more than the engine's centred ones where one weight outweighs all.
        assert abs(fit.tau2[i] - tau2) <= 1e-7 * (tau2 + unit**2), i
        assert abs(fit.estimate[i] - mean) <= 1e-8 * (abs(mean) + unit), i
        assert abs(fit.se[i] - wald * math.sqrt(max(1.0, factor))) <= 1e-7 * (fit.se[i] + unit * 1e-3), i


def test_no_other_tau2_is_more_likely() -> None:
    """The restricted likelihood on a grid of tau2, straight from its formula, does not exceed that of the fit."""
    fit = FITS["REML"]
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e4, 60)])
    lower = []
    for i in SEVERAL.tolist():
        y, v = Y[rows(i)] / SCALE[i], V[rows(i)] / SCALE[i] ** 2
        tau2 = np.concatenate([grid, [fit.tau2[i] / SCALE[i] ** 2]])[:, None]
        w = 1.0 / (v + tau2)
        total = w.sum(1)
        mean = (w @ (y - y[0])) / total + y[0]
        height = 0.5 * (np.log(w).sum(1) - np.log(total) - (w * (y - mean[:, None]) ** 2).sum(1))
        if height[-1] < height.max() - 1e-9 * (1.0 + abs(height[-1])):
            lower.append(i)
    assert not lower


def test_two_studies_have_a_closed_form() -> None:
    """REML of two studies is ``max(0, (d**2 - v1 - v2) / 2)``, whatever the unit and however far they lie apart."""
    pair = np.flatnonzero(SIZES == 2)
    first, second = FIRST[pair], FIRST[pair] + 1
    want = np.maximum(0.0, 0.5 * ((Y[first] - Y[second]) ** 2 - V[first] - V[second]))
    assert len(pair) > 250 and (want > 0.0).sum() > 50
    close(FITS["REML"].tau2[pair], want, SCALE[pair] ** 2, 1e-9)


def test_paule_and_mandel_solve_their_equation() -> None:
    fit = FITS["PM"]
    total = q_at(fit)
    positive = fit.tau2 > 0.0
    df = (SIZES - 1.0)[positive]
    # The sums here are plain ones: variances a billion apart cost them half their digits.
    assert np.abs(total[positive] / df - 1.0).max() <= 1e-7
    assert (total[SEVERAL] <= (SIZES - 1.0)[SEVERAL] * (1.0 + 1e-7)).all()


def q_at(fit: PooledMany) -> Floats:
    """The generalised Q at the fit's tau2, set by set."""
    w = 1.0 / (V + np.where(np.isnan(fit.tau2), 0.0, fit.tau2)[GROUP])
    from_first = Y - Y[FIRST[:-1]][GROUP]
    mean = np.add.reduceat(w * from_first, FIRST[:-1]) / np.add.reduceat(w, FIRST[:-1])
    found: Floats = np.add.reduceat(w * (from_first - mean[GROUP]) ** 2, FIRST[:-1])
    return found


def test_one_by_one_is_the_same() -> None:
    fit = FITS["REML"]
    for i in RNG.choice(SETS, 400, replace=False).tolist():
        one = pool(EffectSizes(effect=Y[rows(i)], variance=V[rows(i)]))
        for name in ("estimate", "se", "p", "tau2", "i2", "q"):
            want = getattr(one, name)
            size = {"tau2": SCALE[i] ** 2, "se": SCALE[i], "estimate": SCALE[i]}.get(name, 1.0)
            got = float(getattr(fit, name)[i])
            assert (math.isnan(want) and math.isnan(got)) or abs(got - want) <= 1e-9 * (abs(want) + size), (i, name)
        assert one.sentence() and one.to_dict()["k"] == SIZES[i]


def tables() -> dict[str, Floats]:
    n_1, n_2 = (RNG.integers(3, 200, len(GROUP)) for _ in range(2))
    risk = 10.0 ** RNG.uniform(-3.0, -0.05, SETS)[GROUP]
    odds = np.exp(RNG.normal(0.0, 0.7, len(GROUP)))
    return {
        "events_1": RNG.binomial(n_1, risk * odds / (1.0 + risk * (odds - 1.0))),
        "n_1": n_1,
        "events_2": RNG.binomial(n_2, risk),
        "n_2": n_2,
    }


TABLES = tables()


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_zero_cells(measure: str) -> None:
    es = effect_sizes(measure, **TABLES)
    zero = (TABLES["events_1"] == 0) | (TABLES["events_2"] == 0)
    assert 0.2 < zero.mean() < 0.9
    use = es.estimable & ~es.double_zero if measure != "RD" else es.estimable
    assert np.isfinite(es.effect[use]).all() and (es.variance[use] > 0.0).all()
    fit = pool_many(es.effect[use], es.variance[use], GROUP[use])
    assert np.isfinite(fit.estimate).all() and (fit.se > 0.0).all() and not np.isnan(fit.p).any()
    swapped = effect_sizes(
        measure,
        events_1=TABLES["events_2"],
        n_1=TABLES["n_2"],
        events_2=TABLES["events_1"],
        n_2=TABLES["n_1"],
    )
    other = pool_many(swapped.effect[use], swapped.variance[use], GROUP[use])
    close(other.estimate, -fit.estimate, 1.0)
    close(other.p, fit.p, 1.0)


def test_sums_over_tables_with_zero_cells() -> None:
    found = 0
    for i in RNG.choice(SETS, 120, replace=False).tolist():
        part = {name: column[rows(i)] for name, column in TABLES.items()}
        turned = {"events_1": part["events_2"], "n_1": part["n_2"], "events_2": part["events_1"], "n_2": part["n_1"]}
        for measure in ("OR", "RR", "RD"):
            fit, back = mantel_haenszel(measure, **part), mantel_haenszel(measure, **turned)
            if math.isnan(fit.estimate):
                assert fit.reasons["estimate"] and math.isnan(back.estimate)
            else:
                found += 1
                assert back.estimate == pytest.approx(-fit.estimate, abs=1e-10)
        fit = peto(**part)
        assert math.isnan(fit.estimate) or math.isfinite(fit.se) or fit.reasons
        try:
            pooled = pool(effect_sizes("OR", **part))
        except InputError as said:  # every study without events in both arms
            assert "not estimable" in str(said)
        else:
            assert math.isfinite(pooled.estimate)
    assert found > 200
