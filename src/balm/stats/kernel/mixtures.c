/* Many posteriors: their sums over studies at nodes of tau, and quantiles of mixtures of normal distributions and of
 * densities that are a polynomial on (0, 1).
 *
 * The same steps as in balm.stats.bayes (side_by_side, many_quantiles), which tells why; each quantile stops by itself.
 */
#include "lanes.h"

/* The same numbers as in many_quantiles.py. */
#define CLOSE 1e-11
#define SHORT 0.08
#define TAILS 0.55
#define SETTLED 1e-6
#define LOOKS 60
#define STEPS 20
#define FACTORS 16

/* With factors 1 + weight tau2 of a group's studies: found (groups, 3, m) the sums of each row of sums (groups, 3,
 * studies) over the factors, and product (groups, m) the sum of their logarithms. Studies of weight 0 fill up. */
MANY_TARGETS
int balm_at_nodes(int64_t groups, int64_t studies, int64_t m, const double *weight, const double *sums, const double *tau2,
                  double *found, double *product) {
    double *factors = malloc((size_t)(m + 1) * sizeof *factors);
    if (!factors) return -1;
    for (int64_t g = 0; g < groups; g++) {
        const double *w = weight + g * studies, *s = sums + 3 * g * studies, *t = tau2 + g * m;
        double *restrict one = found + 3 * g * m, *restrict two = one + m, *restrict three = two + m;
        double *restrict all = factors, *restrict logs = product + g * m;
        for (int64_t j = 0; j < m; j++) {
            one[j] = two[j] = three[j] = logs[j] = 0;
            all[j] = 1;
        }
        int count = 0;
        for (int64_t i = 0; i < studies; i++) {
            if (w[i] == 0) continue;
            double x = w[i], a = s[i], b = s[studies + i], c = s[2 * studies + i];
            for (int64_t j = 0; j < m; j++) {
                double factor = 1 + x * t[j], part = 1 / factor;
                all[j] *= factor;
                one[j] += a * part;
                two[j] += b * part;
                three[j] += c * part;
            }
            if (++count % FACTORS == 0)
                for (int64_t j = 0; j < m; j++) {
                    logs[j] += log(all[j]);
                    all[j] = 1;
                }
        }
        for (int64_t j = 0; j < m; j++) logs[j] += log(all[j]);
    }
    free(factors);
    return 0;
}

static double within(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

/* The step at which the Taylor polynomial of the distribution reaches its target. */
static double taylor(double above, double f, double f1, double f2, double f3, double f4) {
    double c = -above / f, a1 = f1 / f / 2, a2 = f2 / f / 6, a3 = f3 / f / 24, a4 = f4 / f / 120;
    double step = c / (1 + a1 * c);
    for (int i = 0; i < 3; i++) {
        double value = step * (1 + step * (a1 + step * (a2 + step * (a3 + step * a4)))) - c;
        double slope = 1 + step * (2 * a1 + step * (3 * a2 + step * (4 * a3 + step * 5 * a4)));
        step -= value / slope;
    }
    return isfinite(step) ? step : c;
}

/* found (levels, groups); rough (groups): the largest of the last coefficients of what is summed. share, mean, sd are
 * (groups, m), last (m, width) with width at most 8. Returns 0, or -1 when memory runs out. */
int balm_mixture_quantiles(int64_t groups, int64_t m, const double *share, const double *mean, const double *sd,
                           const double *centre, const double *spread, int64_t levels, const double *level,
                           const double *normal, int64_t width, const double *last, double *found, double *rough) {
    double *inverse = malloc((size_t)(2 * m + 1) * sizeof *inverse), *weighted = inverse + m;
    if (!inverse) return -1;
    for (int64_t g = 0; g < groups; g++) {
        const double *w = share + g * m, *mu = mean + g * m, *s = sd + g * m;
        double third = 0, fourth = 0, least = s[0];
        for (int64_t i = 0; i < m; i++) {
            double off = mu[i] - centre[g], off2 = off * off, s2 = s[i] * s[i];
            third += w[i] * off * (off2 + 3 * s2);
            fourth += w[i] * (off2 * (off2 + 6 * s2) + 3 * s2 * s2);
            inverse[i] = 1 / s[i];
            weighted[i] = 0.3989422804014327 * w[i] * inverse[i];
            if (s[i] < least) least = s[i];
        }
        double square = spread[g] * spread[g];
        double skew = within(third / (square * spread[g]), -1, 1);
        double kurtosis = within(TAILS * (fourth / (square * square) - 3), -0.5, 1.9);
        rough[g] = 0;
        for (int64_t j = 0; j < levels; j++) {
            double z = normal[j], sign = level[j] > 0.5 ? -1 : 1, tail = level[j] > 0.5 ? 1 - level[j] : level[j];
            double low = mu[0] + z * s[0], high = low;
            for (int64_t i = 1; i < m; i++) {
                double end = mu[i] + z * s[i];
                if (end < low) low = end;
                if (end > high) high = end;
            }
            double start = z + (z * z - 1) / 6 * skew + (z * z * z - 3 * z) / 24 * kurtosis;
            start -= (2 * z * z * z - 5 * z) / 36 * skew * skew;
            double x = within(centre[g] + spread[g] * start, low, high);
            for (int look = 0; look < LOOKS; look++) {
                double sum = 0, f = 0, f1 = 0, f2 = 0, f3 = 0, f4 = 0, coefficient[8] = {0};
                for (int64_t i = 0; i < m; i++) {
                    double in = inverse[i], at = (x - mu[i]) * in, at2 = at * at;
                    double part = 0.5 * w[i] * erfc(-0.7071067811865476 * sign * at);
                    double bell = weighted[i] * exp(-0.5 * at2);
                    sum += part;
                    f += bell;
                    bell *= in;
                    f1 -= bell * at;
                    bell *= in;
                    f2 += bell * (at2 - 1);
                    bell *= in;
                    f3 -= bell * at * (at2 - 3);
                    bell *= in;
                    f4 += bell * (at2 * (at2 - 6) + 3);
                    if (!look)
                        for (int64_t c = 0; c < width; c++) coefficient[c] += part * last[i * width + c];
                }
                if (!look)
                    for (int64_t c = 0; c < width; c++)
                        if (fabs(coefficient[c]) > rough[g]) rough[g] = fabs(coefficient[c]);
                double above = sign * (sum - tail), here = x;
                if (above > 0) high = here;
                else low = here;
                double after = here + taylor(above, f, f1, f2, f3, f4);
                int inside = after >= low && after <= high;
                x = inside ? after : 0.5 * (low + high);
                if ((inside && fabs(x - here) <= SHORT * least) || high - low <= CLOSE * spread[g]) break;
            }
            found[j * groups + g] = x;
        }
    }
    free(inverse);
    return 0;
}

/* The sum of c[i] T_i(2x - 1), by Clenshaw's recurrence. */
static double chebyshev(int64_t count, const double *c, double x) {
    double t = 2 * x - 1, b1 = 0, b2 = 0;
    for (int64_t i = count - 1; i > 0; i--) {
        double b = c[i] + 2 * t * b1 - b2;
        b2 = b1;
        b1 = b;
    }
    return c[0] + t * b1 - b2;
}

/* found (groups, levels): where the integral of each density reaches the levels. density, known (groups, m): it and its
 * integral from 0 at the nodes; series (groups, m), integral (groups, m + 1): coefficients of both. */
int balm_node_quantiles(int64_t groups, int64_t m, const double *node, const double *density, const double *known,
                        const double *series, const double *integral, int64_t levels, const double *level,
                        double *found) {
    for (int64_t g = 0; g < groups; g++) {
        const double *d = density + g * m, *at = known + g * m;
        for (int64_t j = 0; j < levels; j++) {
            double p = level[j], low, high, below, above, x;
            int64_t panel = 0; /* nodes where the integral is below p; 0 and 1 are the ends */
            for (int64_t i = 0; i < m; i++) panel += at[i] < p;
            low = panel ? node[panel - 1] : 0;
            below = panel ? at[panel - 1] : 0;
            high = panel < m ? node[panel] : 1;
            above = panel < m ? at[panel] : 1;
            double rise = (above - below) / (high - low), s = (p - below) / (above - below);
            double first = within(rise / d[panel ? panel - 1 : 0], 0, 3), second = within(rise / d[panel < m ? panel : m - 1], 0, 3);
            s *= first + s * (3 - 2 * first - second + s * (first + second - 2));
            x = low + (high - low) * within(s, 0, 1);
            if (!isfinite(x)) x = 0.5 * (low + high);
            for (int step = 0; step < STEPS; step++) {
                double here = x, off = chebyshev(m + 1, integral + g * (m + 1), here) - p;
                if (off > 0) high = here;
                else low = here;
                double after = here - off / chebyshev(m, series + g * m, here), length = fabs(after - here);
                int inside = (after >= low && after <= high) || length < 1e-10;
                x = inside ? after : 0.5 * (low + high);
                if (inside && length <= SETTLED) break;
            }
            found[g * levels + j] = x;
        }
    }
    return 0;
}
