/* A network meta-analysis outside LAPACK: names to numbers, studies to independent rows, rows to the Laplacian, and what
 * follows from its solution. The equations are told in balm/stats/network/rows.py, whose arrays these are.
 *
 * Plain C, no Python headers. What is not in order (names to be stripped, studies out of order, contrasts that are
 * missing or contradict each other) is left to the caller, who says what is wrong: LEFT.
 */
#include "lanes.h"

enum { DONE = 0, LEFT = 1, NO_MEMORY = -1, UNPLAIN = -2 };

/* Edge of the tiles in which a symmetric table is written. */
#define TILE 16
/* Sweeps of Jacobi's rotations; five or six are usual. */
#define SWEEPS 50

/* How many names differ, in `code` the number of each of `rows` names that stand in `text` with a zero byte between them,
 * in order of appearance, and in `first` where each name stands first. UNPLAIN where a name is empty, begins or ends
 * with a blank or something that is not ASCII, or holds a zero byte itself. */
int balm_numbered(int64_t rows, const char *text, int64_t length, int64_t *code, int64_t *first) {
    int64_t slots = 16;
    while (slots < 2 * rows) slots *= 2;
    int32_t *table = calloc((size_t)slots, sizeof *table);
    const char **start = malloc((size_t)(rows + 1) * sizeof *start);
    int64_t *size = malloc((size_t)(rows + 1) * sizeof *size);
    int known = NO_MEMORY;
    if (!table || !start || !size) goto out;
    const char *at = text, *end = text + length;
    known = 0;
    for (int64_t i = 0; i < rows; i++, at++) {
        const char *name = at;
        uint64_t hash = 1469598103934665603u;
        while (at < end && *at) hash = (hash ^ (uint8_t)*at++) * 1099511628211u;
        int64_t n = at - name;
        if (n == 0 || at > end || name[0] <= ' ' || name[n - 1] <= ' ' || name[0] & 0x80 || name[n - 1] & 0x80) {
            known = UNPLAIN;
            goto out;
        }
        int64_t slot = (int64_t)((hash ^ hash >> 29) & (uint64_t)(slots - 1));
        for (;; slot = (slot + 1) & (slots - 1)) {
            int32_t found = table[slot] - 1;
            if (found < 0) {
                table[slot] = ++known;
                start[known - 1] = name;
                size[known - 1] = n;
                first[known - 1] = i;
                code[i] = known - 1;
                break;
            }
            if (size[found] == n && !memcmp(start[found], name, (size_t)n)) {
                code[i] = found;
                break;
            }
        }
    }
    if (at != end + 1) known = UNPLAIN;
out:
    free(table);
    free(start);
    free(size);
    return known;
}

/* The arms of each of k studies, whose m contrasts stand together and in order; LEFT where they do not, or where a study
 * does not bring each contrast of its arms once. */
int balm_network_arms(int64_t m, int64_t n, int64_t k, const int64_t *study, const int64_t *first, const int64_t *second,
                      int64_t *arms) {
    int64_t *place = malloc((size_t)(n + 1) * sizeof *place), *owner = malloc((size_t)(n + 1) * sizeof *owner), room = 64;
    uint8_t *met = malloc((size_t)room);
    int status = NO_MEMORY;
    if (!place || !owner || !met) goto out;
    for (int64_t t = 0; t < n; t++) owner[t] = -1;
    status = LEFT;
    int64_t next = 0;
    for (int64_t s = 0; s < k; s++) {
        int64_t begin = next, p = 2;
        while (next < m && study[next] == s) next++;
        while (p * (p - 1) / 2 < next - begin) p++;
        if (p * (p - 1) / 2 != next - begin) goto out;
        arms[s] = p;
        if (p == 2) continue;
        if (p * p > room) {
            free(met);
            met = malloc((size_t)(room = p * p));
            if (!met) { status = NO_MEMORY; goto out; }
        }
        memset(met, 0, (size_t)(p * p));
        int64_t held = 0;
        for (int64_t i = begin; i < next; i++) {
            int64_t ends[2] = {first[i], second[i]};
            for (int e = 0; e < 2; e++)
                if (owner[ends[e]] != s) {
                    if (held == p) goto out;
                    owner[ends[e]] = s;
                    place[ends[e]] = held++;
                }
            uint8_t *cell = met + place[ends[0]] * p + place[ends[1]], *mirror = met + place[ends[1]] * p + place[ends[0]];
            if (*cell) goto out;
            *cell = *mirror = 1;
        }
        if (held != p) goto out;
    }
    if (next == m) status = DONE;
out:
    free(place);
    free(owner);
    free(met);
    return status;
}

/* Into how many parts n treatments fall that m contrasts connect. */
int balm_network_parts(int64_t m, int64_t n, const int64_t *first, const int64_t *second) {
    int64_t *root = malloc((size_t)(n + 1) * sizeof *root), parts = n;
    if (!root) return NO_MEMORY;
    for (int64_t t = 0; t < n; t++) root[t] = t;
    for (int64_t i = 0; i < m; i++) {
        int64_t a = first[i], b = second[i];
        while (root[a] != a) a = root[a] = root[root[a]];
        while (root[b] != b) b = root[b] = root[root[b]];
        if (a != b) {
            root[a > b ? a : b] = a < b ? a : b;
            parts--;
        }
    }
    free(root);
    return (int)parts;
}

/* Eigenvalues of a symmetric d x d matrix to its diagonal, and vectors (columns) to `u`, by Jacobi's rotations. */
static void turn(int64_t d, double *a, double *u) {
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) u[i * d + j] = i == j;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        int turned = 0;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = i + 1; j < d; j++) {
                double off = a[i * d + j], x = a[i * d + i], y = a[j * d + j];
                if (fabs(off) <= 1e-17 * sqrt(fabs(x * y)) || fabs(off) < 1e-300) continue;
                turned = 1;
                double angle = 0.5 * (y - x) / off, t = (angle < 0 ? -1.0 : 1.0) / (fabs(angle) + sqrt(angle * angle + 1.0));
                double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
                for (int64_t r = 0; r < d; r++) {
                    double p = a[r * d + i], q = a[r * d + j];
                    a[r * d + i] = c * p - s * q;
                    a[r * d + j] = s * p + c * q;
                }
                for (int64_t r = 0; r < d; r++) {
                    double p = a[i * d + r], q = a[j * d + r];
                    a[i * d + r] = c * p - s * q;
                    a[j * d + r] = s * p + c * q;
                    p = u[r * d + i], q = u[r * d + j];
                    u[r * d + i] = c * p - s * q;
                    u[r * d + j] = s * p + c * q;
                }
                a[i * d + j] = a[j * d + i] = 0;
            }
        if (!turned) return;
    }
}

/* (p, p - 1) orthonormal columns that add up to 0, Helmert's. */
static void helmert(int64_t p, double *basis) {
    memset(basis, 0, (size_t)(p * (p - 1)) * sizeof *basis);
    for (int64_t e = 1; e < p; e++) {
        double length = sqrt((double)e * ((double)e + 1.0));
        for (int64_t i = 0; i < e; i++) basis[i * (p - 1) + e - 1] = 1.0 / length;
        basis[e * (p - 1) + e - 1] = -(double)e / length;
    }
}

/* One study of p >= 3 arms: contrasts `y` and variances `v` of arm i minus arm j at i * p + j, to p - 1 rows.
 * basis : (p, p - 1).   limits : least share of an eigenvalue, most that contrasts may miss in adding up.
 * work  : 4 p p numbers. */
static int axes(int64_t p, const double *basis, const double *y, const double *v, double tau2, const double *limits,
                double *work, int64_t width, double *vector, double *value, double *variance, double *rest) {
    int64_t d = p - 1;
    double *half = work, *small = half + p * p, *u = small + p * p, *weight = u + p * p;
    for (int64_t i = 0; i < p; i++)
        for (int64_t f = 0; f < d; f++) {
            double sum = 0;
            for (int64_t j = 0; j < p; j++) sum += v[i * p + j] * basis[j * d + f];
            half[i * d + f] = -0.5 * sum;
        }
    for (int64_t e = 0; e < d; e++)
        for (int64_t f = e; f < d; f++) {
            double sum = 0;
            for (int64_t i = 0; i < p; i++) sum += basis[i * d + e] * half[i * d + f];
            small[e * d + f] = small[f * d + e] = sum;
        }
    turn(d, small, u);
    double least = INFINITY, most = -INFINITY;
    for (int64_t e = 0; e < d; e++) {
        double l = variance[e] = small[e * d + e];
        if (l < least) least = l;
        if (l > most) most = l;
        for (int64_t i = 0; i < p; i++) {
            double sum = 0;
            for (int64_t f = 0; f < d; f++) sum += basis[i * d + f] * u[f * d + e];
            vector[e * width + i] = sum;
        }
    }
    if (!(least > limits[0] * most)) return LEFT;

    double *level = half, *flow = half + p, gap = 0, size = 0, widest = 0;
    for (int64_t i = 0; i < p; i++) {
        level[i] = flow[i] = 0;
        for (int64_t j = 0; j < p; j++) level[i] += y[i * p + j];
        level[i] /= (double)p;
    }
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = i + 1; j < p; j++) {
            double missing = fabs(y[i * p + j] - (level[i] - level[j]));
            if (missing > gap) gap = missing;
            if (fabs(y[i * p + j]) > size) size = fabs(y[i * p + j]);
            if (v[i * p + j] > widest) widest = v[i * p + j];
        }
    double allowed = sqrt(widest) > size ? sqrt(widest) : size;
    if (gap > limits[1] * allowed) return LEFT;
    if (gap > 1e-12 * size) { /* rounded contrasts: the arms that fit them best under the weights of this tau2 */
        double missed = 0, fitted = 0;
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = i + 1; j < p; j++) {
                double w = 0, missing = y[i * p + j] - (level[i] - level[j]);
                for (int64_t e = 0; e < d; e++)
                    w -= vector[e * width + i] * vector[e * width + j] / (variance[e] + 0.5 * tau2);
                weight[i * p + j] = w;
                flow[i] += w * missing;
                flow[j] -= w * missing;
                missed += w * missing * missing;
            }
        for (int64_t e = 0; e < d; e++) {
            double along = 0;
            for (int64_t i = 0; i < p; i++) along += vector[e * width + i] * flow[i];
            small[e] = along * (variance[e] + 0.5 * tau2);
        }
        for (int64_t i = 0; i < p; i++) {
            double step = 0;
            for (int64_t e = 0; e < d; e++) step += vector[e * width + i] * small[e];
            level[i] += step;
            fitted += flow[i] * step;
        }
        *rest += missed - fitted;
    }
    for (int64_t e = 0; e < d; e++) {
        value[e] = 0;
        for (int64_t i = 0; i < p; i++) value[e] += vector[e * width + i] * level[i];
    }
    return DONE;
}

/* Studies of two arms first, then of three, and so on; see `Rows`. `vector` and `places` hold zeros. */
int balm_network_rows(int64_t m, int64_t n, int64_t k, int64_t width, const int64_t *first, const int64_t *second,
                      const double *effect, const double *variance, const int64_t *arms, double tau2, const double *limits,
                      int64_t *of, int64_t *places, double *vector, double *value, double *spread, double *rest) {
    const double root = sqrt(0.5);
    int64_t *count = calloc((size_t)width + 2, sizeof *count), *held = malloc((size_t)width * sizeof *held);
    int64_t *local = malloc((size_t)(n + 1) * sizeof *local);
    double *work = malloc((size_t)(7 * width * width) * sizeof *work);
    int status = NO_MEMORY;
    if (!count || !held || !local || !work) goto out;
    for (int64_t s = 0; s < k; s++) count[arms[s] + 1] += arms[s] - 1;
    for (int64_t p = 0; p <= width; p++) count[p + 1] += count[p]; /* count[p] : where rows of p arms begin */
    *rest = 0;
    status = LEFT;
    int64_t next = 0, based = 0;
    for (int64_t s = 0; s < k; s++) {
        int64_t p = arms[s], row = count[p], begin = next;
        count[p] += p - 1;
        next += p * (p - 1) / 2;
        int64_t *place = places + row * width;
        double *u = vector + row * width;
        if (p == 2) {
            of[row] = s;
            place[0] = first[begin];
            place[1] = second[begin];
            u[0] = root;
            u[1] = -root;
            value[row] = effect[begin] * root;
            spread[row] = variance[begin] * 0.5;
            continue;
        }
        /* the arms in the order of their numbers; every one is an end of one of the first contrasts */
        int64_t arm = 0;
        for (int64_t i = begin; i < next && arm < p; i++)
            for (int e = 0; e < 2; e++) {
                int64_t t = e ? second[i] : first[i], j = arm;
                int fresh = 1;
                for (int64_t h = 0; h < arm; h++) fresh &= held[h] != t;
                if (!fresh) continue;
                while (j > 0 && held[j - 1] > t) { held[j] = held[j - 1]; j--; }
                held[j] = t;
                arm++;
            }
        for (int64_t h = 0; h < p; h++) local[held[h]] = h;
        double *basis = work, *y = basis + p * p, *v = y + p * p;
        if (p != based) helmert(based = p, basis);
        memset(y, 0, (size_t)(2 * p * p) * sizeof *work);
        for (int64_t i = begin; i < next; i++) {
            int64_t a = local[first[i]], b = local[second[i]];
            y[a * p + b] = effect[i];
            y[b * p + a] = -effect[i];
            v[a * p + b] = v[b * p + a] = variance[i];
        }
        if (axes(p, basis, y, v, tau2, limits, v + p * p, width, u, value + row, spread + row, rest)) goto out;
        for (int64_t e = 0; e < p - 1; e++) {
            of[row + e] = s;
            for (int64_t h = 0; h < p; h++) place[e * width + h] = held[h];
        }
    }
    if (next == m) status = DONE;
out:
    free(count);
    free(held);
    free(local);
    free(work);
    return status;
}

/* The Laplacian above its diagonal with `level` added to every cell from there up (the mean eigenvalue for the constant
 * vector), zeros below, and the current. */
MANY_TARGETS
int balm_network_laplacian(int64_t rows, int64_t narrow, int64_t width, int64_t n, const int64_t *places,
                           const double *vector, const double *value, const double *weight, double *above, double *current,
                           double *level) {
    memset(above, 0, (size_t)(n * n) * sizeof *above);
    memset(current, 0, (size_t)n * sizeof *current);
    for (int64_t r = 0; r < rows; r++) {
        const int64_t *at = places + r * width;
        const double *u = vector + r * width;
        int64_t p = r < narrow ? 2 : width;
        double w = weight[r], flow = w * value[r];
        for (int64_t i = 0; i < p; i++) {
            int64_t a = at[i];
            current[a] += u[i] * flow;
            for (int64_t j = i + 1; j < p; j++) {
                int64_t b = at[j];
                double x = u[i] * u[j] * w;
                if (x == 0) continue; /* what fills up a row repeats its first place */
                above[a < b ? a * n + b : b * n + a] += x;
                above[a * n + a] -= x;
                above[b * n + b] -= x;
            }
        }
    }
    double trace = 0;
    for (int64_t i = 0; i < n; i++) trace += above[i * n + i];
    *level = trace / (double)n;
    double each = *level / (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i; j < n; j++) above[i * n + j] += each;
    return DONE;
}

/* theta is moved to a mean of 0; the residuals, and to `out` Q and the Laplacian's log-determinant from its factor. */
int balm_network_residuals(int64_t rows, int64_t narrow, int64_t width, int64_t n, const int64_t *places,
                           const double *vector, const double *value, const double *weight, const double *factor,
                           double level, double *theta, double *residual, double *out) {
    double mean = 0, q = 0, logs = 0, product = 1;
    for (int64_t i = 0; i < n; i++) mean += theta[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        theta[i] -= mean;
        product *= factor[i * n + i];
        if (product < 1e-150 || product > 1e150) { logs += log(product); product = 1; }
    }
    for (int64_t r = 0; r < rows; r++) {
        const int64_t *at = places + r * width;
        const double *u = vector + r * width;
        int64_t p = r < narrow ? 2 : width;
        double fitted = 0;
        for (int64_t i = 0; i < p; i++) fitted += u[i] * theta[at[i]];
        residual[r] = value[r] - fitted;
        q += weight[r] * residual[r] * residual[r];
    }
    out[0] = q;
    out[1] = 2.0 * (logs + log(product)) - log(level);
    return DONE;
}

/* The variance of each row's combination of treatments under a generalised inverse, read above its diagonal. */
int balm_network_variances(int64_t rows, int64_t narrow, int64_t width, int64_t n, const int64_t *places,
                           const double *vector, const double *upper, double *out) {
    for (int64_t r = 0; r < rows; r++) {
        const int64_t *at = places + r * width;
        const double *u = vector + r * width;
        int64_t p = r < narrow ? 2 : width;
        double sum = 0;
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = i + 1; j < p; j++) {
                int64_t a = at[i], b = at[j];
                sum += u[i] * u[j] * (2.0 * upper[a < b ? a * n + b : b * n + a] - upper[a * n + a] - upper[b * n + b]);
            }
        out[r] = sum;
    }
    return DONE;
}

/* The variance of every contrast, (n, n). */
MANY_TARGETS
int balm_network_resistances(int64_t n, const double *upper, double *out) {
    double *diagonal = malloc((size_t)(n + 1) * sizeof *diagonal);
    if (!diagonal) return NO_MEMORY;
    for (int64_t i = 0; i < n; i++) diagonal[i] = upper[i * n + i];
    for (int64_t top = 0; top < n; top += TILE)
        for (int64_t left = top; left < n; left += TILE) {
            int64_t bottom = top + TILE < n ? top + TILE : n, right = left + TILE < n ? left + TILE : n;
            for (int64_t i = top; i < bottom; i++)
                for (int64_t j = left > i ? left : i; j < right; j++) {
                    double x = diagonal[i] - 2.0 * upper[i * n + j] + diagonal[j];
                    out[i * n + j] = x > 0 ? x : 0;
                }
            for (int64_t i = top; i < bottom; i++)
                for (int64_t j = left > i ? left : i; j < right; j++) out[j * n + i] = out[i * n + j];
        }
    for (int64_t i = 0; i < n; i++) out[i * n + i] = 0;
    free(diagonal);
    return DONE;
}
