"""The scalar distributions against 40-digit arithmetic (mpmath) and, over a wide grid, against scipy.special."""

from __future__ import annotations

import math
import random

import mpmath
import pytest
import scipy.special as special

from balm.stats import distributions as d

#: Relative accuracy asked of every tail. Below 1e-100 the rounding of intermediate values alone costs |log p| * 1e-16.
TOLERANCE = 1e-13
FAR_TOLERANCE = 4e-13


@pytest.fixture(autouse=True)
def forty_digits():
    with mpmath.workdps(40):
        yield


def assert_tail(got: float, want: mpmath.mpf, where: object) -> None:
    if want < mpmath.mpf("1e-290"):
        return
    tolerance = TOLERANCE if want > mpmath.mpf("1e-100") else FAR_TOLERANCE
    assert abs(got - want) <= tolerance * want, f"{where}: got {got!r}, want {mpmath.nstr(want, 17)}"


def exact_t_sf(t: float, df: float) -> mpmath.mpf:
    t, df = mpmath.mpf(t), mpmath.mpf(df)
    return mpmath.betainc(df / 2, mpmath.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2


@pytest.mark.parametrize("x", [-40.0, -8.3, -1.0, 0.0, 0.3, 1.96, 5.5, 12.25, 25.1, 36.3])
def test_normal_tail(x):
    assert_tail(d.norm_sf(x), mpmath.erfc(mpmath.mpf(x) / mpmath.sqrt(2)) / 2, x)
    assert d.norm_cdf(-x) == d.norm_sf(x)


@pytest.mark.parametrize("q", [1e-290, 1e-100, 1e-10, 0.001, 0.025, 0.2, 0.499, 0.5, 0.7, 0.975])
def test_normal_quantile(q):
    want = mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * mpmath.mpf(q)) if q > 1e-9 else None
    got = d.norm_isf(q)
    if want is not None:
        assert abs(got - want) <= 1e-13 * max(1, abs(want))
    assert d.norm_sf(got) == pytest.approx(q, rel=1e-12)
    assert d.norm_ppf(q) == -got or q == 0.5


def test_the_critical_value_of_every_interval_is_exact():
    assert d.norm_ppf(0.975) == 1.959963984540054
    assert d.norm_isf((1 - 0.95) / 2) == 1.959963984540054


@pytest.mark.parametrize("df", [1, 1.5, 2, 3, 5, 7.3, 10.5137, 13.9, 14, 20, 33.3, 100, 1234.5, 1e4, 1e5, 1e6])
@pytest.mark.parametrize("t", [1e-8, 0.05, 0.7, 1.0, 1.9, 2.6, 3.3, 6.0, 15.0, 30.0, 36.0, 400.0])
def test_t_tail(df, t):
    if df > 2000 and t > 37:
        assert d.t_sf(t, df) < 1e-290
        return
    z = 0.5 * df * math.log1p(t * t / df)
    if z > 667.0:
        return
    assert_tail(d.t_sf(t, df), exact_t_sf(t, df), (t, df))
    assert d.t_cdf(-t, df) == d.t_sf(t, df)
    assert d.t_cdf(t, df) == 1.0 - d.t_sf(t, df)


@pytest.mark.parametrize("df", [1, 1.5, 2, 3, 7.3, 12, 14, 33.3, 100, 1234.5, 1e6])
@pytest.mark.parametrize("q", [1e-200, 1e-50, 1e-9, 0.001, 0.005, 0.025, 0.1, 0.3, 0.49])
def test_t_quantile_inverts_the_tail(df, q):
    t = d.t_isf(q, df)
    assert d.t_sf(t, df) == pytest.approx(q, rel=5e-13)
    assert d.t_ppf(q, df) == -t


def test_t_with_infinite_df_is_normal():
    assert d.t_sf(2.5, math.inf) == d.norm_sf(2.5)
    assert d.t_isf(0.025, math.inf) == d.norm_isf(0.025)


def test_cauchy_quartile():
    assert d.t_isf(0.25, 1) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("df", [1, 2, 3, 4.5, 12, 59, 150, 1000.5, 1e4])
@pytest.mark.parametrize("where", [0.01, 0.3, 0.9, 1.0, 1.2, 2.0, 12.0, 60.0])
def test_chi_square_tails(df, where):
    x = df * where
    if x - df - df * math.log(where) > 1330:
        return
    half, hx = mpmath.mpf(df) / 2, mpmath.mpf(x) / 2
    upper = mpmath.gammainc(half, hx, mpmath.inf, regularized=True)
    assert_tail(d.chi2_sf(x, df), upper, (x, df))
    if where < 3.0:
        assert_tail(d.chi2_cdf(x, df), mpmath.gammainc(half, 0, hx, regularized=True), (x, df))


@pytest.mark.parametrize("df", [1, 2, 4.5, 12, 150, 1e5])
@pytest.mark.parametrize("p", [1e-100, 1e-8, 0.025, 0.5, 0.9])
def test_chi_square_quantiles(df, p):
    assert d.chi2_cdf(d.chi2_ppf(p, df), df) == pytest.approx(p, rel=2e-12)
    assert d.chi2_sf(d.chi2_isf(p, df), df) == pytest.approx(p, rel=2e-12)


def test_chi_square_without_degrees_of_freedom_sits_at_zero():
    assert d.chi2_sf(0.0, 0) == 1.0
    assert d.chi2_sf(1.0, 0) == 0.0


@pytest.mark.parametrize("df1", [1, 2, 3.3, 10, 80])
@pytest.mark.parametrize("df2", [1, 3, 12.5, 60, 2500])
@pytest.mark.parametrize("x", [0.001, 0.5, 1.0, 3.0, 40.0])
def test_f_tails(df1, df2, x):
    a, b = mpmath.mpf(df1), mpmath.mpf(df2)
    assert_tail(d.f_sf(x, df1, df2), mpmath.betainc(b / 2, a / 2, 0, b / (b + a * x), regularized=True), (x, df1, df2))
    total = a * x + b
    assert_tail(d.f_cdf(x, df1, df2), mpmath.betainc(a / 2, b / 2, 0, a * x / total, regularized=True), (x, df1, df2))


@pytest.mark.parametrize(("df1", "df2"), [(1, 11), (2, 5.5), (3, 400), (12, 12), (4, math.inf)])
@pytest.mark.parametrize("q", [1e-30, 0.025, 0.5, 0.8])
def test_f_quantiles(df1, df2, q):
    assert d.f_sf(d.f_isf(q, df1, df2), df1, df2) == pytest.approx(q, rel=1e-12)
    assert d.f_cdf(d.f_ppf(q, df1, df2), df1, df2) == pytest.approx(q, rel=1e-12)


def test_beta_against_scipy_over_a_random_grid():
    draw = random.Random(20261122)
    for _ in range(2000):
        a, b = 10 ** draw.uniform(-0.7, 3), 10 ** draw.uniform(-0.7, 3)
        x = draw.random()
        for got, want in (
            (d.beta_cdf(x, a, b), special.betainc(a, b, x)),
            (d.beta_sf(x, a, b), special.betaincc(a, b, x)),
        ):
            assert got == pytest.approx(want, rel=1e-10, abs=1e-290), (x, a, b)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 1), (2, 30), (45.5, 3.25), (300, 700)])
@pytest.mark.parametrize("p", [1e-20, 0.025, 0.4, 0.975])
def test_beta_quantiles(a, b, p):
    assert d.beta_cdf(d.beta_ppf(p, a, b), a, b) == pytest.approx(p, rel=1e-11)
    if p != 1e-20:  # so near one the quantile itself cannot hold the digits
        assert d.beta_sf(d.beta_isf(p, a, b), a, b) == pytest.approx(p, rel=1e-11)


@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (12, 0.5), (60, 0.02), (500, 0.9), (100000, 0.001)])
def test_binomial(n, p):
    exact = mpmath.mpf(p)
    for x in {0, 1, n // 3, n // 2, int(n * p), n - 1, n}:
        want = mpmath.binomial(n, x) * exact**x * (1 - exact) ** (n - x)
        if want > mpmath.mpf("1e-280"):
            assert abs(d.binom_pmf(x, n, p) - want) <= 5e-13 * want
        assert d.binom_cdf(x, n, p) + d.binom_sf(x, n, p) == pytest.approx(1.0)
        assert d.binom_cdf(x, n, p) == pytest.approx(float(special.bdtr(x, n, p)), rel=1e-9, abs=1e-280)
    assert d.binom_cdf(d.binom_ppf(0.4, n, p), n, p) >= 0.4 > d.binom_cdf(d.binom_ppf(0.4, n, p) - 1, n, p)


def test_fishers_tea_tasting():
    """Fisher (1935), The Design of Experiments, chapter 2: all eight cups right has probability 1/70."""
    assert d.hypergeom_sf(3, 4, 4, 4) == pytest.approx(1 / 70, rel=1e-14)
    assert d.hypergeom_cdf(3, 4, 4, 4) == pytest.approx(69 / 70, rel=1e-14)
    assert d.hypergeom_pmf(2, 4, 4, 4) == pytest.approx(36 / 70, rel=1e-14)


def test_noncentral_hypergeometric_is_the_conditional_likelihood_of_the_odds_ratio():
    low, weights = d.noncentral_hypergeometric(120, 80, 30, 2.5)
    exact = [mpmath.binomial(120, x) * mpmath.binomial(80, 30 - x) * mpmath.mpf(2.5) ** x for x in range(31)]
    total = sum(exact)
    assert low == 0
    for got, want in zip(weights, exact, strict=True):
        assert abs(got - want / total) <= 1e-13 * want / total


@pytest.mark.parametrize(
    "call",
    [
        lambda: d.t_sf(math.nan, 3),
        lambda: d.t_sf(1.0, 0),
        lambda: d.t_isf(1.2, 3),
        lambda: d.chi2_sf(math.nan, 3),
        lambda: d.chi2_ppf(-0.1, 3),
        lambda: d.f_sf(1.0, 0, 3),
        lambda: d.beta_cdf(0.5, 0, 1),
        lambda: d.norm_ppf(2.0),
    ],
)
def test_outside_the_domain_the_answer_is_nan(call):
    assert math.isnan(call())


def test_the_ends_of_the_line():
    assert d.t_sf(math.inf, 5) == 0.0
    assert d.t_sf(-math.inf, 5) == 1.0
    assert d.chi2_sf(math.inf, 5) == 0.0
    assert d.f_sf(math.inf, 2, 5) == 0.0
    assert d.norm_ppf(1.0) == math.inf
    assert d.t_ppf(0.0, 4) == -math.inf
    assert d.chi2_ppf(1.0, 4) == math.inf
    assert d.beta_ppf(1.0, 2, 3) == 1.0
