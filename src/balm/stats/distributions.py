"""Probability distributions for single numbers, with accurate tails, from the standard library alone.

A p-value of 1e-200 is as right as one of 0.05.  ``cdf`` is the lower tail, ``sf`` the upper one, ``ppf`` the quantile
of a lower-tail probability and ``isf`` that of an upper-tail one; ask for the small tail, never for ``1 - cdf``.

>>> round(t_sf(2.228138851964939, 10), 6)
0.025
>>> chi2_sf(152.233008, 12) < 1e-25
True

Sources: Loader (2000); Didonato & Morris (1992), ACM TOMS 18:360; DLMF chapters 7 and 8; Abramowitz & Stegun 26.2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import erfc, exp, gamma, inf, isnan, lgamma, log, log1p, nan, pi, sqrt

from balm.stats.incomplete import beta_fraction, beta_kernel, gamma_kernel, incomplete_beta, incomplete_gamma

SQRT_HALF = 0.7071067811865476
SQRT_HALF_REST = -4.833646656726457e-17  # sqrt(1/2) minus its double
SQRT_2PI = sqrt(2.0 * pi)
TWO_OVER_SQRT_PI = 2.0 / sqrt(pi)
#: The value that cuts off 2.5 % above it, to the last bit.
Z_975 = 1.959963984540054
#: Veltkamp's constant 2**27 + 1, which splits a double into two halves of 26 bits.
SPLIT = 134217729.0


def _product_rest(a: float, b: float, ab: float) -> float:
    """``a*b - ab`` exactly, where ab is the rounded product (Dekker 1971)."""
    c = SPLIT * a
    a1 = c - (c - a)
    a2 = a - a1
    c = SPLIT * b
    b1 = c - (c - b)
    b2 = b - b1
    return ((a1 * b1 - ab) + a1 * b2 + a2 * b1) + a2 * b2


# -- normal --------------------------------------------------------------------------------------------------


def norm_sf(x: float) -> float:
    """Upper tail of the standard normal distribution."""
    z = x * SQRT_HALF
    if 3.0 < z < 40.0:
        # the rounding of z, small as it is, is multiplied by 2 z^2 in the tail: put it back
        rest = _product_rest(x, SQRT_HALF, z) + x * SQRT_HALF_REST
        return 0.5 * (erfc(z) - TWO_OVER_SQRT_PI * exp(-z * z) * rest)
    return 0.5 * erfc(z)


def norm_cdf(x: float) -> float:
    """Lower tail of the standard normal distribution."""
    return norm_sf(-x)


def norm_pdf(x: float) -> float:
    """Density of the standard normal distribution."""
    return exp(-0.5 * x * x) / SQRT_2PI


def norm_isf(q: float) -> float:
    """The value with upper-tail probability q.

    >>> norm_isf(0.025)
    1.959963984540054
    """
    if not 0.0 <= q <= 1.0:
        return nan
    if q == 0.0:
        return inf
    if q == 1.0:
        return -inf
    if q > 0.5:
        return -norm_isf(1.0 - q)
    if abs(q - 0.025) < 5e-17:  # whichever way 0.025 was arrived at: 1 - 0.975 and (1 - 0.95)/2 differ from it
        return Z_975
    if q == 0.5:
        return 0.0
    t = sqrt(-2.0 * log(q))  # Abramowitz & Stegun 26.2.23, good to 4.5e-4, polished by Halley's method
    x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    for _ in range(2):
        step = (q - norm_sf(x)) / norm_pdf(x)
        x -= step / (1.0 + 0.5 * step * x)
    return x


def norm_ppf(p: float) -> float:
    """The value with lower-tail probability p.

    >>> norm_ppf(0.975)
    1.959963984540054
    """
    return norm_isf(1.0 - p) if p > 0.5 else -norm_isf(p)


# -- Student's t ---------------------------------------------------------------------------------------------


def _sinh_coefficients(count: int) -> tuple[float, ...]:
    """Power series in u^2 of (sinh(u/2) / (u/2)) ** (-1/2)."""
    base = [1.0]  # of sinh(u/2)/(u/2): 1 / (4^n (2n+1)!)
    for n in range(1, count):
        base.append(base[-1] / (4.0 * (2 * n) * (2 * n + 1)))
    power = [1.0]  # J. C. P. Miller's recurrence for the power of a series
    for n in range(1, count):
        power.append(sum((-0.5 * j - (n - j)) * base[j] * power[n - j] for j in range(1, n + 1)) / n)
    return tuple(power)


SINH = _sinh_coefficients(22)
#: From these degrees of freedom on the uniform expansion in 1/df has converged to double precision.
T_LARGE_DF = 14.0


def _half_beta(df: float) -> float:
    """``1 / (sqrt(df) B(df/2, 1/2))``: the height of the t density at zero."""
    if df < 100.0:
        return gamma(0.5 * (df + 1.0)) / (gamma(0.5 * df) * sqrt(pi * df))
    t = 0.5 * df - 0.25
    # Gamma(a + 1/2)/Gamma(a) from the same expansion, at zero
    total = 1.0
    g = 1.0
    for n in range(1, 8):
        g *= (2 * n - 1.5) * (2 * n - 0.5) / (t * t)
        total += SINH[n] * g
    return sqrt(t) / total / sqrt(pi * df)


def _t_upper(t: float, df: float) -> float:
    """Upper tail for t > 0 and finite df > 0."""
    q = t * t / df
    if df >= T_LARGE_DF and q < 2.5:
        return _t_upper_large(t, df)
    x = 1.0 / (1.0 + q)
    a = 0.5 * df
    if df > 1.0 and 0.5 < q < 1e6:
        power = float((1.0 + q) ** -a)
        return 0.5 * power * sqrt(q * x) * beta_fraction(a, 0.5, x, q * x) * _half_beta(df) * sqrt(df)
    if q > 1.0 / 3.0:
        # I_x(a, 1/2) = x^a / B(a, 1/2) sum (1/2)_n x^n / (n! (a + n)), all terms positive (DLMF 8.17.7)
        c = 1.0
        total = 1.0 / a
        n = 0.0
        while True:
            n += 1.0
            c *= (n - 0.5) / n * x
            step = c / (a + n)
            total += step
            if step <= 1e-17 * total:
                break
        if q == inf or x < 1e-300:  # far beyond: x underflows before the tail does
            power = exp(-df * log(t) + a * log(df)) if t < inf else 0.0
        else:
            power = float((1.0 + q) ** -a)
        return 0.5 * power * total * _half_beta(df) * sqrt(df)
    # the central part: y^(1/2) x^a / B * sum of (a + 1/2)_n / (3/2)_n y^n
    y = q / (1.0 + q)
    term = total = 1.0
    n = 0.0
    while True:
        term *= (a + 0.5 + n) / (1.5 + n) * y
        total += term
        n += 1.0
        if term <= 1e-17 * total:
            break
    return 0.5 - t * float((1.0 + q) ** (-a - 0.5)) * total * _half_beta(df)


def _t_upper_large(t: float, df: float) -> float:
    """Upper tail for large df: with x = exp(-u) the incomplete beta integral becomes a sum of incomplete gammas.

    ``sum c_n Gamma(2n + 1/2, z) / T^2n`` divided by its value at z = 0, where T = df/2 - 1/4, z = T log(1 + t^2/df)
    and c_n are the coefficients of (sinh(u/2)/(u/2))^(-1/2): the idea of BGRAT in Didonato & Morris (1992), section 9.
    """
    big = 0.5 * df - 0.25
    t2 = t * t
    q = t2 / df
    rest = (_product_rest(t, t, t2) - _product_rest(q, df, q * df) + (t2 - q * df)) / df if t2 > 10.0 else 0.0
    u = log1p(q) + rest / (1.0 + q)
    z = big * u
    s = sqrt(z)
    if z > 10.0:
        ds = (z - s * s - _product_rest(s, s, s * s) + _product_rest(big, u, z)) / (2.0 * s)
        e = exp(-z) * (1.0 - _product_rest(big, u, z))
        g = sqrt(pi) * (erfc(s) - TWO_OVER_SQRT_PI * e * ds)
    else:
        e = exp(-z)
        g = sqrt(pi) * erfc(s)
    power = e / s if s > 0.0 else 0.0  # z^(m - 1/2) e^-z at m = 0
    top, whole, bottom = g, sqrt(pi), sqrt(pi)
    scale = 1.0
    t2inv = 1.0 / (big * big)
    m = 0.5
    if s == 0.0:
        return 0.5
    for n in range(1, 22):
        power *= z
        g = m * g + power
        m += 1.0
        power *= z
        g = m * g + power
        whole *= m * (m - 1.0)
        m += 1.0
        scale *= t2inv
        c = SINH[n] * scale
        step = c * g
        top += step
        bottom += c * whole
        if abs(step) <= 1e-17 * top:
            break
    return 0.5 * top / bottom


def t_sf(t: float, df: float) -> float:
    """Upper tail of Student's t with ``df`` > 0 degrees of freedom (any real number; ``inf`` is the normal)."""
    if isnan(t) or not df > 0.0:
        return nan
    if df > 1e15:
        return norm_sf(t)
    if t > 0.0:
        return _t_upper(t, df)
    if t < 0.0:
        return 1.0 - _t_upper(-t, df)
    return 0.5


def t_cdf(t: float, df: float) -> float:
    """Lower tail of Student's t."""
    return t_sf(-t, df)


def t_pdf(t: float, df: float) -> float:
    """Density of Student's t."""
    if df > 1e15:
        return norm_pdf(t)
    return _half_beta(df) * exp(-0.5 * (df + 1.0) * log1p(t * t / df))


@lru_cache(maxsize=1024)
def t_isf(q: float, df: float) -> float:
    """The value with upper-tail probability q.

    >>> round(t_isf(0.025, 1), 9)
    12.706204736
    """
    if not 0.0 <= q <= 1.0 or not df > 0.0:
        return nan
    if q == 0.0 or q == 1.0:
        return inf if q == 0.0 else -inf
    if q > 0.5:
        return -t_isf(1.0 - q, df)
    if df > 1e15:
        return norm_isf(q)
    if q == 0.5:
        return 0.0
    z = norm_isf(q)
    # a start from Hill's expansion (Abramowitz & Stegun 26.7.5) near the centre, from the power-law tail beyond it
    z2 = z * z
    start = z * (1.0 + (z2 + 1.0) / (4.0 * df) + (5.0 * z2 * z2 + 16.0 * z2 + 3.0) / (96.0 * df * df))
    tail = exp((log(_half_beta(df)) + 0.5 * (df + 1.0) * log(df) - log(q * df)) / df) if df < 300.0 else inf
    t = start if z2 < 1.5 * df else min(tail, start)
    log_q = log(q)
    for _ in range(60):
        sf = _t_upper(t, df)
        if sf <= 0.0:
            t *= 0.5
            continue
        ratio = t * t_pdf(t, df) / sf
        step = (log(sf) - log_q) / ratio if q < 0.25 else (sf - q) / sf / ratio
        step = max(-1.0, min(1.0, step))
        t *= exp(step) if q < 0.25 else 1.0 + step
        if abs(step) < 1e-9:  # Newton's error is squared: the next step would be below rounding
            break
    return t


def t_ppf(p: float, df: float) -> float:
    """The value with lower-tail probability p."""
    return t_isf(1.0 - p, df) if p > 0.5 else -t_isf(p, df)


# -- quantiles of the positive distributions -----------------------------------------------------------------


def _solve(
    tails: Callable[[float], tuple[float, float]], slope: Callable[[float], float], u: float, p: float, upper: bool
) -> float:
    """The u at which a tail equals p: Newton's method on log(tail), kept inside a shrinking bracket.

    ``slope`` is the derivative of the lower tail with respect to u.
    """
    low, high = -inf, inf
    target = log(p)
    for _ in range(200):
        tail = tails(u)[1 if upper else 0]
        if tail <= 0.0 or (rate := slope(u)) <= 0.0:
            step = (2.0 if tail > p else -2.0) * (1.0 if upper else -1.0)
            gap = tail - p
        else:
            gap = log(tail) - target
            step = gap * tail / rate * (1.0 if upper else -1.0)
        if (gap > 0.0) == upper:
            low = u
        else:
            high = u
        step = max(-4.0, min(4.0, step))
        new = u + step
        if not low < new < high:
            if abs(step) < 1e-12 * max(1.0, abs(u)):
                return u
            new = 0.5 * (low + high) if high - low < inf else (low + 4.0 if high == inf else high - 4.0)
        if abs(new - u) <= 2e-16 * max(1.0, abs(new)):
            return new
        if abs(step) < 1e-9:
            return new
        u = new
    return u


# -- chi-square ----------------------------------------------------------------------------------------------------


def chi2_sf(x: float, df: float) -> float:
    """Upper tail of the chi-square distribution; with df = 0 all its mass is at zero."""
    if isnan(x) or not df >= 0.0:
        return nan
    if df == 0.0:
        return 1.0 if x <= 0.0 else 0.0
    if x <= 0.0:
        return 1.0
    if df == 1.0:
        return 2.0 * norm_sf(sqrt(x)) if x < 40.0 else _chi2_sf_1(x)
    if df == 2.0:
        return exp(-0.5 * x)
    return incomplete_gamma(0.5 * df, 0.5 * x)[1]


def _chi2_sf_1(x: float) -> float:
    s = sqrt(x)
    rest = (x - s * s - _product_rest(s, s, s * s)) / (2.0 * s)
    return 2.0 * (norm_sf(s) - norm_pdf(s) * rest)


def chi2_cdf(x: float, df: float) -> float:
    """Lower tail of the chi-square distribution."""
    if isnan(x) or not df >= 0.0:
        return nan
    if x <= 0.0:
        return 0.0 if df > 0.0 or x < 0.0 else 1.0
    if df == 0.0:
        return 1.0
    return incomplete_gamma(0.5 * df, 0.5 * x)[0]


@lru_cache(maxsize=1024)
def _chi2_quantile(p: float, df: float, upper: bool) -> float:
    if not 0.0 <= p <= 1.0 or not df > 0.0:
        return nan
    if p in (0.0, 1.0):
        return inf if (p == 0.0) == upper else 0.0
    if p > 0.5:
        p, upper = 1.0 - p, not upper
    a = 0.5 * df
    z = norm_isf(p) * (1.0 if upper else -1.0)
    c = 2.0 / (9.0 * df)
    cube = 1.0 - c + z * sqrt(c)  # Wilson & Hilferty (1931)
    u = log(0.5 * df * cube**3) if cube > 0.3 else (log(p) + lgamma(a + 1.0)) / a
    return 2.0 * exp(_solve(lambda v: incomplete_gamma(a, exp(v)), lambda v: a * gamma_kernel(a, exp(v)), u, p, upper))


def chi2_ppf(p: float, df: float) -> float:
    """The value with lower-tail probability p.

    >>> round(chi2_ppf(0.95, 12), 6)
    21.02607
    """
    return _chi2_quantile(float(p), float(df), False)


def chi2_isf(q: float, df: float) -> float:
    """The value with upper-tail probability q."""
    return _chi2_quantile(float(q), float(df), True)


# -- beta and F ----------------------------------------------------------------------------------------------


def beta_cdf(x: float, a: float, b: float) -> float:
    """Lower tail of the beta distribution."""
    return nan if not (a > 0.0 and b > 0.0) else incomplete_beta(a, b, x, 1.0 - x)[0]


def beta_sf(x: float, a: float, b: float) -> float:
    """Upper tail of the beta distribution."""
    return nan if not (a > 0.0 and b > 0.0) else incomplete_beta(a, b, x, 1.0 - x)[1]


@lru_cache(maxsize=1024)
def _beta_logit(p: float, a: float, b: float, upper: bool) -> float:
    """log(x / (1 - x)) of a beta quantile."""
    if p > 0.5:
        p, upper = 1.0 - p, not upper

    def ends(v: float) -> tuple[float, float]:
        e = exp(-abs(v))
        return (1.0 / (1.0 + e), e / (1.0 + e)) if v > 0.0 else (e / (1.0 + e), 1.0 / (1.0 + e))

    def tails(v: float) -> tuple[float, float]:
        return incomplete_beta(a, b, *ends(v))

    def slope(v: float) -> float:  # dx/dv = x y, so the density times x y is x^a y^b / B
        return beta_kernel(a, b, *ends(v))

    # logit of a beta is near normal: mean psi(a) - psi(b), variance psi'(a) + psi'(b), roughly
    mean = log((a + 0.5 * (a < 1.0)) / (b + 0.5 * (b < 1.0)))
    spread = sqrt(1.0 / a + 1.0 / b)
    u = mean + norm_isf(p) * (spread if upper else -spread)
    return _solve(tails, slope, max(-700.0, min(700.0, u)), p, upper)


def _beta_quantile(p: float, a: float, b: float, upper: bool) -> float:
    if not 0.0 <= p <= 1.0 or not (a > 0.0 and b > 0.0):
        return nan
    if p in (0.0, 1.0):
        return 1.0 if (p == 0.0) == upper else 0.0
    v = _beta_logit(float(p), float(a), float(b), upper)
    return 1.0 / (1.0 + exp(-v)) if v > 0.0 else exp(v) / (1.0 + exp(v))


def beta_ppf(p: float, a: float, b: float) -> float:
    """The value with lower-tail probability p."""
    return _beta_quantile(p, a, b, False)


def beta_isf(q: float, a: float, b: float) -> float:
    """The value with upper-tail probability q."""
    return _beta_quantile(q, a, b, True)


def _f_tails(x: float, df1: float, df2: float) -> tuple[float, float]:
    if isnan(x) or not (df1 > 0.0 and df2 > 0.0):
        return nan, nan
    if x <= 0.0:
        return 0.0, 1.0
    if x == inf:
        return 1.0, 0.0
    if df2 > 1e15:
        return chi2_cdf(x * df1, df1), chi2_sf(x * df1, df1)
    total = df1 * x + df2
    return incomplete_beta(0.5 * df1, 0.5 * df2, df1 * x / total, df2 / total)


def f_sf(x: float, df1: float, df2: float) -> float:
    """Upper tail of the F distribution (df2 = inf: chi-square over df1)."""
    if df1 == 1.0 and x > 0.0:
        return 2.0 * t_sf(sqrt(x), df2)
    return _f_tails(x, df1, df2)[1]


def f_cdf(x: float, df1: float, df2: float) -> float:
    """Lower tail of the F distribution."""
    return _f_tails(x, df1, df2)[0]


def _f_quantile(p: float, df1: float, df2: float, upper: bool) -> float:
    if not 0.0 <= p <= 1.0 or not (df1 > 0.0 and df2 > 0.0):
        return nan
    if p in (0.0, 1.0):
        return inf if (p == 0.0) == upper else 0.0
    if df2 > 1e15:
        return _chi2_quantile(float(p), float(df1), upper) / df1
    return exp(_beta_logit(float(p), 0.5 * df1, 0.5 * df2, upper)) * df2 / df1


def f_ppf(p: float, df1: float, df2: float) -> float:
    """The value with lower-tail probability p."""
    return _f_quantile(p, df1, df2, False)


def f_isf(q: float, df1: float, df2: float) -> float:
    """The value with upper-tail probability q."""
    return _f_quantile(q, df1, df2, True)


# -- counts --------------------------------------------------------------------------------------------------


def binom_pmf(x: int, n: int, p: float) -> float:
    """Probability of x events among n with risk p."""
    if x < 0 or x > n or p in (0.0, 1.0):
        return float(x == (n if p == 1.0 else 0)) if p in (0.0, 1.0) else 0.0
    if x == 0:
        return exp(n * log1p(-p))
    if x == n:
        return float(p**n)
    return beta_kernel(x, n - x, p, 1.0 - p) * n / (x * (n - x))


def binom_cdf(x: int, n: int, p: float) -> float:
    """Probability of at most x events."""
    if x < 0 or x >= n:
        return 0.0 if x < 0 else 1.0
    return incomplete_beta(x + 1, n - x, p, 1.0 - p)[1]


def binom_sf(x: int, n: int, p: float) -> float:
    """Probability of more than x events."""
    if x < 0 or x >= n:
        return 1.0 if x < 0 else 0.0
    return incomplete_beta(x + 1, n - x, p, 1.0 - p)[0]


def binom_ppf(q: float, n: int, p: float) -> int:
    """The smallest x with at least probability q at or below it."""
    spread = sqrt(n * p * (1.0 - p))
    x = max(0, min(n, round(n * p + spread * norm_ppf(min(max(q, 1e-300), 1.0 - 1e-16)))))
    while x > 0 and binom_cdf(x - 1, n, p) >= q:
        x -= 1
    while x < n and binom_cdf(x, n, p) < q:
        x += 1
    return x


def noncentral_hypergeometric(n_1: int, n_2: int, events: int, odds_ratio: float) -> tuple[int, list[float]]:
    """Fisher's noncentral hypergeometric distribution of the events in arm 1, given all margins.

    Returns the smallest possible count and the probabilities of it and the following ones. An odds ratio of 1 is the
    hypergeometric distribution of Fisher's exact test. Computed outward from the mode, so nothing overflows.
    """
    low, high = max(0, events - n_2), min(n_1, events)
    if low == high:
        return low, [1.0]

    def ratio(x: int) -> float:  # P(x) / P(x - 1)
        return (n_1 - x + 1) * (events - x + 1) / (x * (n_2 - events + x)) * odds_ratio

    a, b = low + 1, high + 1  # the mode is just below the first x whose ratio is under one
    while a < b:
        middle = (a + b) // 2
        if ratio(middle) < 1.0:
            b = middle
        else:
            a = middle + 1
    mode = a - 1
    weights = [0.0] * (high - low + 1)
    weights[mode - low] = value = 1.0
    for x in range(mode + 1, high + 1):
        value *= ratio(x)
        weights[x - low] = value
    value = 1.0
    for x in range(mode, low, -1):
        value /= ratio(x)
        weights[x - 1 - low] = value
    total = sum(sorted(weights))
    return low, [w / total for w in weights]


def hypergeom_pmf(x: int, n_1: int, n_2: int, events: int) -> float:
    """Probability of x events in arm 1 when ``events`` fall at random on the n_1 + n_2 participants."""
    return _hypergeometric_sum(x, x, n_1, n_2, events)


def hypergeom_cdf(x: int, n_1: int, n_2: int, events: int) -> float:
    """Probability of at most x events in arm 1."""
    return _hypergeometric_sum(0, x, n_1, n_2, events)


def hypergeom_sf(x: int, n_1: int, n_2: int, events: int) -> float:
    """Probability of more than x events in arm 1."""
    return _hypergeometric_sum(x + 1, n_1, n_1, n_2, events)


def _hypergeometric_sum(first: int, last: int, n_1: int, n_2: int, events: int) -> float:
    low, weights = noncentral_hypergeometric(n_1, n_2, events, 1.0)
    return min(1.0, sum(sorted(weights[max(0, first - low) : max(0, last + 1 - low)])))
