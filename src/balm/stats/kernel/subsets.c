/* Analyses of parts of one analysis: every subset of its studies, or all studies but one; nothing is expanded.
 *
 * The lanes are subsets, ordered by size. Returns 0, or -1 when memory runs out.
 */
#include "lanes.h"

/* bits : rows of `width` bytes; study j is bit j % 8 of byte j / 8.
 * out  : four rows of `subsets`: mean, tau2, Q and the typical within-study variance; the last three are nan for one study.
 */
MANY_TARGETS
int balm_subsets(int64_t k, const double *effect, const double *variance, int64_t subsets, int64_t width, const uint8_t *bits,
                 int method, int64_t *size, double *out) {
    int64_t *order = malloc((size_t)(subsets + 1) * sizeof *order), *start = calloc((size_t)k + 3, sizeof *start);
    uint8_t counted[256] = {0};
    for (int i = 1; i < 256; i++) counted[i] = (uint8_t)(counted[i / 2] + i % 2);
    block b = {0};
    if (!order || !start || !room(&b, k)) { free(order); free(start); return -1; }
    for (int64_t s = 0; s < subsets; s++) {
        int64_t n = 0;
        for (int64_t j = 0; j < width; j++) n += counted[bits[s * width + j]];
        size[s] = n;
        start[n + 1]++;
    }
    int64_t skipped = start[1] + start[2];
    for (int64_t n = 0; n <= k; n++) start[n + 1] += start[n];
    for (int64_t s = 0; s < subsets; s++) order[start[size[s]]++] = s;

    vd solved[COLUMNS];
    for (int64_t place = 0; place < skipped; place++) {
        int64_t s = order[place];
        for (int64_t c = 0; c < 4; c++) out[c * subsets + s] = NAN;
        for (int64_t j = 0; j < width; j++)
            if (bits[s * width + j]) out[s] = effect[8 * j + __builtin_ctz(bits[s * width + j])];
    }
    for (int64_t first = skipped; first < subsets; first += LANES) {
        int64_t lanes = subsets - first < LANES ? subsets - first : LANES;
        for (int l = 0; l < LANES; l++) {
            int64_t s = order[l < lanes ? first + l : first], i = 0;
            const uint8_t *byte = bits + s * width;
            for (int64_t j = 0; j < width; j++)
                for (unsigned left = byte[j]; left; left &= left - 1) {
                    int64_t study = 8 * j + __builtin_ctz(left);
                    put(&b, i++, l, effect[study], variance[study]);
                }
            b.size[l] = i;
        }
        prepare(&b);
        balm_solve_block(&b, method, 0.0, 0, 0, solved);
        vd typical = b.df / (solved[5] - solved[6] / solved[5]);
        for (int l = 0; l < lanes; l++) {
            double *to = out + order[first + l];
            to[0] = solved[1][l];
            to[subsets] = solved[0][l];
            to[2 * subsets] = solved[7][l];
            to[3 * subsets] = typical[l];
        }
    }
    free(order);
    free(start);
    free(b.y);
    return 0;
}

/* One row a study, as balm_groups writes them: its group without it. Groups of fewer than three leave theirs as it was. */
MANY_TARGETS
int balm_left_out(int64_t groups, const int64_t *offsets, const double *effect, const double *variance, int method, double *out) {
    int64_t largest = 0, skipped = 0;
    for (int64_t g = 0; g < groups; g++) {
        int64_t k = offsets[g + 1] - offsets[g];
        if (k > largest) largest = k;
        if (k < 3) skipped++;
    }
    int64_t *order = malloc((size_t)(groups + 1) * sizeof *order), *start = calloc((size_t)largest + 2, sizeof *start);
    block b = {0};
    if (!order || !start || !room(&b, largest)) { free(order); free(start); return -1; }
    for (int64_t g = 0; g < groups; g++) start[offsets[g + 1] - offsets[g] + 1]++;
    for (int64_t k = 0; k <= largest; k++) start[k + 1] += start[k];
    for (int64_t g = 0; g < groups; g++) order[start[offsets[g + 1] - offsets[g]]++] = g;

    /* Lanes run on from one group into the next: `place` of the ordered groups, the study `left` out of it. */
    int64_t place = skipped, left = 0;
    while (place < groups) {
        double *rows[LANES];
        int64_t lanes = 0;
        for (int l = 0; l < LANES; l++) {
            if (place < groups) {
                int64_t g = order[place], low = offsets[g], n = offsets[g + 1] - low;
                for (int64_t i = 0; i < left; i++) put(&b, i, l, effect[low + i], variance[low + i]);
                for (int64_t i = left + 1; i < n; i++) put(&b, i - 1, l, effect[low + i], variance[low + i]);
                b.size[l] = n - 1;
                rows[l] = out + (low + left) * COLUMNS;
                lanes++;
                if (++left == n) { left = 0; place++; }
            } else { /* an idle lane repeats the first */
                b.size[l] = b.size[0];
                for (int64_t i = 0; i < b.size[0]; i++) put(&b, i, l, ((double *)b.y)[i * LANES], ((double *)b.v)[i * LANES]);
            }
        }
        prepare(&b);
        vd solved[COLUMNS];
        balm_solve_block(&b, method, 0.0, 0, 0, solved);
        write_rows(solved, lanes, rows);
    }
    free(order);
    free(start);
    free(b.y);
    return 0;
}
