/* Many random-effects analyses at once: groups sorted by size, eight of similar size to a block (see lanes.h).
 *
 * Plain C, no Python headers, no allocation visible to the caller; returns 0, or -1 when memory runs out.
 */
#include "conclusions.h"

/* Studies whose groups are brought into order at once: they stay in a core's own cache. */
#define AT_ONCE (1 << 15)

/* What else there is to conclude, and where from: critical values indexed by degrees of freedom. */
typedef struct {
    choices how;
    const double *critical, *reach;
    int64_t stride; /* from one column of what is written to the next */
} wanted;

/* Sixteen columns in the order of balm/stats/pooling/pool_many.py (df and the p-values are written elsewhere), the ends of
 * the Q-profile interval, and the largest over the smallest variance. */
INLINE void write_columns(const conclusions *c, const vd *solved, int profile, const int64_t *place, int64_t lanes, int64_t stride,
                          double *out) {
    vd none = all(NAN), low = profile ? solved[12] : none, high = profile ? solved[13] : none;
    const vd columns[] = {c->estimate, c->se, c->low, c->high,       c->statistic,  c->tau2,     c->tau2_se, c->i2,
                          c->h2,       c->q,  c->ahead_low, c->ahead_high, c->residual, low, high, solved[15]};
    static const int at[] = {0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18};
    for (int j = 0; j < (int)(sizeof at / sizeof *at); j++) {
        double *column = out + at[j] * stride;
        for (int64_t l = 0; l < lanes; l++) column[place[l]] = columns[j][l];
    }
}

/* Every group solved: its row to `out` (COLUMNS numbers), or, with `more`, what follows from it to columns of `out`. */
INLINE int solve_groups(int64_t groups, const int64_t *offsets, const double *effect, const double *variance, int method,
                        double fixed, int profile, const double *chi_low, const double *chi_high, const wanted *more,
                        double *out) {
    int64_t largest = 0;
    for (int64_t g = 0; g < groups; g++) {
        int64_t k = offsets[g + 1] - offsets[g];
        if (k > largest) largest = k;
    }
    int64_t *order = malloc((size_t)(groups + 1) * sizeof *order), *start = calloc((size_t)largest + 2, sizeof *start);
    block b = {0};
    if (!order || !start || !room(&b, largest)) { free(order); free(start); return -1; }
    for (int64_t g = 0; g < groups; g++) start[offsets[g + 1] - offsets[g] + 1]++;
    for (int64_t k = 0; k <= largest; k++) start[k + 1] += start[k];
    for (int64_t g = 0; g < groups; g++) order[start[offsets[g + 1] - offsets[g]]++] = g;

    vd solved[COLUMNS];
    for (int64_t first = 0; first < groups; first += LANES) {
        int64_t lanes = groups - first < LANES ? groups - first : LANES, place[LANES];
        for (int l = 0; l < LANES; l++) {
            int64_t g = place[l] = order[l < lanes ? first + l : first];
            b.size[l] = offsets[g + 1] - offsets[g];
            for (int64_t i = 0; i < b.size[l]; i++) put(&b, i, l, effect[offsets[g] + i], variance[offsets[g] + i]);
        }
        prepare(&b);
        vd low_end = all(0), high_end = all(0);
        for (int l = 0; profile && l < LANES; l++)
            if (b.size[l] > 1) {
                low_end[l] = chi_low[b.size[l] - 1];
                high_end[l] = chi_high[b.size[l] - 1];
            }
        balm_solve_block(&b, method, fixed, profile ? &low_end : 0, &high_end, solved);
        if (more) {
            vd k, critical, reach;
            for (int l = 0; l < LANES; l++) {
                k[l] = (double)b.size[l];
                critical[l] = more->critical[b.size[l] - 1];
                reach[l] = more->reach[b.size[l] - 1];
            }
            conclusions c = conclude(&more->how, k, solved, critical, reach);
            write_columns(&c, solved, profile, place, lanes, more->stride, out);
        } else {
            double *rows[LANES];
            for (int l = 0; l < lanes; l++) rows[l] = out + place[l] * COLUMNS;
            write_rows(solved, lanes, rows);
        }
    }
    free(order);
    free(start);
    free(b.y);
    return 0;
}

MANY_TARGETS
int balm_groups(int64_t groups, const int64_t *offsets, const double *effect, const double *variance, int method, double fixed,
                int profile, const double *chi_low, const double *chi_high, double *out) {
    return solve_groups(groups, offsets, effect, variance, method, fixed, profile, chi_low, chi_high, 0, out);
}

/* Groups of two studies or more, with intervals, tests, heterogeneity and prediction.
 *
 * kinds  : the mean's interval's error, whether I2 is from Q, the prediction interval's error.
 * tables : (5, width) by degrees of freedom k - 1: those of the mean's interval, its critical value, the prediction
 *          interval's, and with `profile` the chi-square quantiles of the Q-profile ends.
 * out    : 19 columns of a number a group, `stride` numbers apart.
 */
MANY_TARGETS
int balm_concluded(int64_t groups, const int64_t *offsets, const double *effect, const double *variance, int method,
                   const int64_t *kinds, int profile, int64_t width, const double *tables, int64_t stride, double *out) {
    wanted more = {{method, (int)kinds[0], (int)kinds[1], (int)kinds[2]}, tables + width, tables + 2 * width, stride};
    const double *low = tables + 3 * width, *high = tables + 4 * width;
    for (int64_t first = 0, last = 0; first < groups; first = last) {
        while (last < groups && (last == first || offsets[last + 1] - offsets[first] <= AT_ONCE)) last++;
        if (solve_groups(last - first, offsets + first, effect, variance, method, 0.0, profile, low, high, &more, out + first))
            return -1;
    }
    double *df = out + 5 * stride, *p = out + 6 * stride, *q_p = out + 12 * stride;
    for (int64_t g = 0; g < groups; g++) {
        int64_t k = offsets[g + 1] - offsets[g];
        df[g] = tables[k - 1];
        q_p[g] = (double)(k - 1);
    }
    balm_t_two_sided(groups, df, out + 4 * stride, p);
    balm_chi2_upper(groups, q_p, out + 11 * stride, q_p);
    return 0;
}
