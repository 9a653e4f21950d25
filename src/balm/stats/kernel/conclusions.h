/* Eight analyses concluded from their sums: `conclude` of balm/stats/pooling/analysis.py for the plain intervals. */
#ifndef BALM_CONCLUSIONS_H
#define BALM_CONCLUSIONS_H

#include "lanes.h"

void balm_t_two_sided(int64_t n, const double *df, const double *t, double *p);
void balm_chi2_upper(int64_t n, const double *df, const double *q, double *p);

enum { WALD = 0, HARTUNG_KNAPP = 1, GUARDED = 2, IN_FORCE = 3, NONE = 4 };

/* Which standard error the mean's interval has, whether I2 is from Q, and which one the prediction interval has. */
typedef struct {
    int method, error, from_q, ahead;
} choices;

typedef struct {
    vd estimate, se, low, high, statistic, tau2, tau2_se, residual, q, i2, h2, typical, ahead_low, ahead_high, ahead_error, wald,
        factor;
} conclusions;

/* Which standard error: of the mean's interval (`in_force`) or a fixed one. */
INLINE vd error_of(int kind, vd wald, vd hk, vd in_force) {
    if (kind == WALD) return wald;
    if (kind == HARTUNG_KNAPP) return hk;
    if (kind == GUARDED) return larger(hk, wald);
    return in_force;
}

/* The square of tau2's standard error, from what balm_solve_block wrote. */
INLINE vd squared_error(int method, vd k, vd df, const vd *row) {
    vd tau2 = row[0], w1 = row[2], w2 = row[8], w3 = row[9], total = row[5], w2_0 = row[6], two = all(2);
    if (method == ML) return two / w2;
    if (method == REML) return two / (w2 - two * w3 / w1 + (w2 / w1) * (w2 / w1));
    if (method != DL) return two * k * k / df / (w1 * w1);
    vd squares = k + two * tau2 * total + tau2 * tau2 * w2_0;
    vd crossed = total + two * tau2 * w2_0 + tau2 * tau2 * row[14];
    vd once = total + tau2 * w2_0, share = once / total, trace = total - w2_0 / total;
    return two * (squares - two * crossed / total + share * share) / (trace * trace);
}

/* row : what balm_solve_block wrote. k : studies a lane. critical, reach : critical values of the mean's interval and of
 * the prediction interval. */
INLINE conclusions conclude(const choices *how, vd k, const vd *row, vd critical, vd reach) {
    conclusions c;
    vd df = k - all(1);
    c.tau2 = row[0];
    c.estimate = row[1];
    c.residual = row[11];
    c.q = row[7];
    c.wald = square_root(all(1) / row[2]);
    c.factor = row[3] / df;
    c.typical = df / (row[5] - row[6] / row[5]);
    c.tau2_se = square_root(squared_error(how->method, k, df, row));
    vd hk = c.wald * square_root(c.factor);
    c.se = error_of(how->error, c.wald, hk, all(NAN));
    vd half = critical * c.se;
    c.low = c.estimate - half;
    c.high = c.estimate + half;
    c.statistic = c.estimate / c.se; /* infinite, or nan for 0/0, where all effects agree */
    c.h2 = (c.tau2 + c.typical) / c.typical;
    c.i2 = all(100) * c.tau2 / (c.tau2 + c.typical);
    if (how->from_q) {
        c.h2 = c.q / df;
        c.i2 = pick(c.h2 > all(1), all(100) * (all(1) - all(1) / c.h2), all(0));
    }
    c.ahead_error = how->ahead == NONE ? all(NAN) : error_of(how->ahead, c.wald, hk, c.se);
    vd ahead = reach * square_root(c.tau2 + c.ahead_error * c.ahead_error);
    c.ahead_low = c.estimate - ahead;
    c.ahead_high = c.estimate + ahead;
    return c;
}

#endif
