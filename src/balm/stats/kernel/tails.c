/* Tail probabilities for whole degrees of freedom, accurate relative to their own size.
 *
 * chi-square: the finite sums for whole degrees of freedom, all terms positive (Abramowitz & Stegun 26.4.4, 26.4.5).
 * t: the finite sums for the central part (26.7.3, 26.7.4); where what is left to 1 is small, the incomplete beta
 * I_x(df/2, 1/2) at x = df/(df + t^2) by its continued fraction (DLMF 8.17.22), which keeps the digits of the tail.
 * What lies outside the range where these are exact to about 1e-14 is returned as -1 and left to the caller.
 */
#include <math.h>
#include <stdint.h>

#define LARGEST_DF 400
#define LARGEST_CHI2 1400.0
#define CENTRAL 0.95

static double chi2_upper(double q, int64_t df) {
    if (!(q >= 0) || q > LARGEST_CHI2 || df > LARGEST_DF) return -1;
    if (q == 0) return 1;
    double half = 0.5 * q, e = exp(-half), sum, term;
    if (df % 2 == 0) {
        sum = term = 1;
        for (int64_t j = 1; j < df / 2; j++) sum += term *= half / (double)j;
        return e * sum;
    }
    sum = 0;
    term = sqrt(q);
    for (int64_t j = 1; j < df; j += 2) {
        sum += term;
        term *= q / (double)(j + 2);
    }
    return erfc(sqrt(half)) + 0.7978845608028654 * e * sum;
}

/* The continued fraction of I_x(a, b) without its factor in front, by Lentz's method. */
static double fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < tiny) d = tiny;
    d = 1 / d;
    double h = d;
    for (int m = 1; m < 500; m++) {
        double m2 = 2.0 * m, am2 = a + m2;
        double even = m * (b - m) * x / ((am2 - 1) * am2);
        double odd = -(a + m) * (a + b + m) * x / (am2 * (am2 + 1));
        /* d and c of both steps with one division each */
        d = 1 + even * d;
        c = 1 + even / c;
        if (fabs(d) < tiny) d = tiny;
        if (fabs(c) < tiny) c = tiny;
        d = 1 / d;
        h *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        if (fabs(d) < tiny) d = tiny;
        if (fabs(c) < tiny) c = tiny;
        d = 1 / d;
        double step = d * c;
        h *= step;
        if (fabs(step - 1) < 2e-16) return h;
    }
    return -1;
}

static double t_two_sided(double t, int64_t df, double log_in_front) {
    if (!(fabs(t) < 1e100) || df > LARGEST_DF) return -1;
    double n = (double)df, t2 = t * t, a = 0.5 * n;
    if (t2 == 0) return 1;
    double x = n / (n + t2), y = t2 / (n + t2), sum = 0, term, inside;
    if (df % 2 == 0) {
        term = 1;
        for (int64_t j = 2; j <= df; j += 2) {
            sum += term;
            term *= x * (double)(j - 1) / (double)j;
        }
        inside = sqrt(y) * sum;
    } else {
        term = sqrt(x);
        for (int64_t j = 3; j <= df; j += 2) {
            sum += term;
            term *= x * (double)(j - 1) / (double)j;
        }
        inside = 0.6366197723675814 * (atan2(fabs(t), sqrt(n)) + sqrt(y) * sum);
    }
    if (inside < CENTRAL) return 1 - inside;
    /* log x without cancellation where t is small against df */
    double front = exp(log_in_front - a * log1p(t2 / n) + 0.5 * log(y));
    if (x < (a + 1) / (a + 2.5)) {
        double f = fraction(a, 0.5, x);
        return f < 0 ? -1 : front * f / a;
    }
    double f = fraction(0.5, a, y);
    return f < 0 ? -1 : 1 - front * f / 0.5;
}

/* p of each t with its whole number of degrees of freedom; the normal distribution where they are infinite. */
static double log_front(int64_t df) {
    return lgamma(0.5 * df + 0.5) - lgamma(0.5 * df) - 0.5723649429247001; /* half the logarithm of pi */
}
void balm_t_two_sided(int64_t n, const double *df, const double *t, double *p) {
    double front[LARGEST_DF + 1];
    if (n < LARGEST_DF) /* fewer are asked for than the table holds */
        for (int64_t i = 0; i < n; i++) {
            if (df[i] >= 1 && df[i] <= LARGEST_DF) front[(int64_t)df[i]] = log_front((int64_t)df[i]);
        }
    else
        for (int64_t i = 1; i <= LARGEST_DF; i++) front[i] = log_front(i);
    for (int64_t i = 0; i < n; i++) {
        int64_t whole = df[i] >= 1 && df[i] <= LARGEST_DF ? (int64_t)df[i] : 0;
        if (isinf(df[i])) p[i] = isnan(t[i]) ? -1 : erfc(0.7071067811865476 * fabs(t[i]));
        else p[i] = whole && (double)whole == df[i] ? t_two_sided(t[i], whole, front[whole]) : -1;
    }
}

/* The upper tail of chi-square at each q with its whole number of degrees of freedom. */
void balm_chi2_upper(int64_t n, const double *df, const double *q, double *p) {
    for (int64_t i = 0; i < n; i++) {
        int64_t whole = df[i] >= 1 && df[i] <= LARGEST_DF ? (int64_t)df[i] : 0;
        p[i] = whole && (double)whole == df[i] ? chi2_upper(q[i], whole) : -1;
    }
}
