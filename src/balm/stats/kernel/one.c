/* One analysis in one call: what `conclude` in balm/stats/pooling/analysis.py works out from the sums, for the plain
 * intervals, with the log-likelihood, the weights and the ends of the Q-profile interval.
 *
 * Returns 0; 1 where effects or variances are of a size that the kernel leaves to the caller; -1 when memory runs out.
 */
#include "lanes.h"

void balm_t_two_sided(int64_t n, const double *df, const double *t, double *p);
void balm_chi2_upper(int64_t n, const double *df, const double *q, double *p);

enum { WALD = 0, HARTUNG_KNAPP = 1, GUARDED = 2, IN_FORCE = 3, NONE = 4 };

/* How many numbers stand before the weights; see balm/stats/pooling/at_once.py for their names. */
#define BEFORE_WEIGHTS 26

/* Which standard error: of the mean's interval (`in_force`) or a fixed one. */
static double error_of(int kind, double wald, double hk, double in_force) {
    if (kind == WALD) return wald;
    if (kind == HARTUNG_KNAPP) return hk;
    if (kind == GUARDED) return hk > wald ? hk : wald;
    return in_force;
}

/* given : least and most variance, most effect allowed; the interval's error, degrees of freedom and critical value;
 *         whether I2 is from Q; the same three of the prediction interval; chi-square quantiles of the Q-profile ends.
 * out   : BEFORE_WEIGHTS numbers, then the k weights in per cent.
 */
MANY_TARGETS
int balm_one(int64_t k, const double *effect, const double *variance, int method, const double *given, double *out) {
    double least = INFINITY, most = 0, largest = 0;
    for (int64_t i = 0; i < k; i++) {
        double size = fabs(effect[i]);
        if (variance[i] < least) least = variance[i];
        if (variance[i] > most) most = variance[i];
        if (size > largest) largest = size;
    }
    if (!(least >= given[0] && most <= given[1] && largest <= given[2])) return 1;
    block b = {0};
    if (!room(&b, k)) return -1;
    for (int l = 0; l < LANES; l++) {
        b.size[l] = k;
        for (int64_t i = 0; i < k; i++) put(&b, i, l, effect[i], variance[i]);
    }
    prepare(&b);
    double row[COLUMNS], *rows[1] = {row};
    vd low_end = all(given[10]), high_end = all(given[11]);
    balm_solve_block(&b, method, 0.0, &low_end, &high_end, 1, rows);
    free(b.y);

    double df = (double)(k - 1), tau2 = row[0], estimate = row[1], w1 = row[2], q = row[7], w2 = row[8], w3 = row[9];
    double wald = sqrt(1.0 / w1), factor = row[3] / df, hk = wald * sqrt(factor);
    double typical = df / (row[5] - row[6] / row[5]), squared;
    if (method == ML) squared = 2.0 / w2;
    else if (method == REML) squared = 2.0 / (w2 - 2.0 * w3 / w1 + (w2 / w1) * (w2 / w1));
    else squared = 2.0 * (double)k * (double)k / df / (w1 * w1);

    double se = error_of((int)given[3], wald, hk, NAN), freedom = given[4], half = given[5] * se;
    double statistic = se != 0 ? estimate / se : estimate != 0 ? copysign(INFINITY, estimate) : NAN;
    double h2 = (tau2 + typical) / typical, i2 = 100.0 * tau2 / (tau2 + typical);
    if (given[6] != 0) {
        h2 = q / df;
        i2 = h2 > 1.0 ? 100.0 * (1.0 - 1.0 / h2) : 0.0;
    }
    double error = NAN, reach = NAN, beyond = NAN;
    if ((int)given[7] != NONE) {
        error = error_of((int)given[7], wald, hk, se);
        beyond = given[8];
        reach = given[9] * sqrt(tau2 + error * error);
    }

    double share = 100.0 / w1, logs = 0, product = 1, *weight = out + BEFORE_WEIGHTS;
    for (int64_t i = 0; i < k; i++) {
        double spread = variance[i] + tau2;
        weight[i] = share / spread;
        product *= spread;
        if (product < 1e-200 || product > 1e200) { logs += log(product); product = 1; }
    }
    logs += log(product) + row[3];
    const double log_2pi = 1.8378770664093453;
    double height = method == REML ? df * log_2pi - log((double)k) + logs + log(w1) : (double)k * log_2pi + logs;

    double p = -1, q_p = -1;
    balm_t_two_sided(1, &freedom, &statistic, &p);
    balm_chi2_upper(1, &df, &q, &q_p);
    double found[BEFORE_WEIGHTS] = {
        estimate, se, freedom, estimate - half, estimate + half, statistic, p,
        tau2, sqrt(squared), tau2, row[11], q, q_p, i2, h2, typical,
        estimate - reach, estimate + reach, beyond, error, wald, factor,
        -0.5 * height, row[12], row[13], row[15],
    };
    memcpy(out, found, sizeof found);
    return 0;
}
