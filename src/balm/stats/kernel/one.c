/* One analysis in one call: what `conclude` in balm/stats/pooling/analysis.py works out from the sums, for the plain
 * intervals, with the log-likelihood, the weights and the ends of the Q-profile interval.
 *
 * Returns 0; 1 where effects or variances are of a size that the kernel leaves to the caller; -1 when memory runs out.
 */
#include "conclusions.h"

/* How many numbers stand before the weights; see balm/stats/pooling/at_once.py for their names. */
#define BEFORE_WEIGHTS 26

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
    vd row[COLUMNS];
    vd low_end = all(given[10]), high_end = all(given[11]);
    balm_solve_block(&b, method, 0.0, &low_end, &high_end, row);
    free(b.y);

    choices how = {method, (int)given[3], given[6] != 0, (int)given[7]};
    conclusions c = conclude(&how, all((double)k), row, all(given[5]), all(given[9]));
    double df = (double)(k - 1), tau2 = c.tau2[0], w1 = row[2][0], q = c.q[0], freedom = given[4], statistic = c.statistic[0];

    double share = 100.0 / w1, logs = 0, product = 1, *weight = out + BEFORE_WEIGHTS;
    for (int64_t i = 0; i < k; i++) {
        double spread = variance[i] + tau2;
        weight[i] = share / spread;
        product *= spread;
        if (product < 1e-200 || product > 1e200) { logs += log(product); product = 1; }
    }
    logs += log(product) + row[3][0];
    const double log_2pi = 1.8378770664093453;
    double height = method == REML ? df * log_2pi - log((double)k) + logs + log(w1) : (double)k * log_2pi + logs;

    double p = -1, q_p = -1;
    balm_t_two_sided(1, &freedom, &statistic, &p);
    balm_chi2_upper(1, &df, &q, &q_p);
    double found[BEFORE_WEIGHTS] = {
        c.estimate[0], c.se[0], freedom, c.low[0], c.high[0], statistic, p,
        tau2, c.tau2_se[0], tau2, c.residual[0], q, q_p, c.i2[0], c.h2[0], c.typical[0],
        c.ahead_low[0], c.ahead_high[0], how.ahead == NONE ? NAN : given[8], c.ahead_error[0], c.wald[0], c.factor[0],
        -0.5 * height, row[12][0], row[13][0], row[15][0],
    };
    memcpy(out, found, sizeof found);
    return 0;
}
