/* Many random-effects analyses at once: groups sorted by size, eight of similar size to a block (see lanes.h).
 *
 * Plain C, no Python headers, no allocation visible to the caller; returns 0, or -1 when memory runs out.
 */
#include "lanes.h"

MANY_TARGETS
int balm_groups(int64_t groups, const int64_t *offsets, const double *effect, const double *variance, int method, double fixed,
                int profile, const double *chi_low, const double *chi_high, double *out) {
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

    for (int64_t first = 0; first < groups; first += LANES) {
        int64_t lanes = groups - first < LANES ? groups - first : LANES;
        double *rows[LANES];
        for (int l = 0; l < LANES; l++) {
            int64_t g = order[l < lanes ? first + l : first];
            b.size[l] = offsets[g + 1] - offsets[g];
            rows[l] = out + g * COLUMNS;
            for (int64_t i = 0; i < b.size[l]; i++) put(&b, i, l, effect[offsets[g] + i], variance[offsets[g] + i]);
        }
        prepare(&b);
        vd low_end = all(0), high_end = all(0);
        for (int l = 0; profile && l < LANES; l++)
            if (b.size[l] > 1) {
                low_end[l] = chi_low[b.size[l] - 1];
                high_end[l] = chi_high[b.size[l] - 1];
            }
        balm_solve_block(&b, method, fixed, profile ? &low_end : 0, &high_end, lanes, rows);
    }
    free(order);
    free(start);
    free(b.y);
    return 0;
}
