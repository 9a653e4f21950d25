/* Many regressions of k effects on an intercept and one moderator, eight side by side in SIMD lanes.
 *
 * The moderator is counted from its weighted mean, u = x - sum(w x)/sum(w), so the normal equations are diagonal:
 * W = sum w and N = sum w u^2. With r = y - sum(w y)/W, b = sum(w u r)/N and e = r - b u,
 *   trP  = W - sum w^2 / W - A2/N                                            A1 = sum w^2 u, A2 = sum w^2 u^2
 *   trPP = S2 - 2 (S3/W + A3/N) + (S2/W)^2 + 2 A1^2/(W N) + (A2/N)^2        A3 = sum w^3 u^2
 *   y'PPy = sum w^2 e^2,   y'PPPy = sum w^3 e^2 - (sum w^2 e)^2 / W - (sum w^2 u e)^2 / N
 * The equations, starts and the choice among several maxima are those of balm.stats.permutation.refit.
 * Plain C, no Python headers; returns 0, or -1 when memory runs out.
 */
#include "lanes.h"

typedef struct {
    vd W, N, iW, iN, S2, S3, A1, A2, A3, my, mx, b, R1, R2, R3, B0, B1;
} line;

/* Everything the equations need at t: weights and means, then the slope, then the residuals. */
INLINE line line_at(int64_t k, const vd *y, const vd *x, const vd *v, vd t, vd *w) {
    line s;
    vd W = all(0), WY = all(0), WX = all(0), S2 = all(0), S3 = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd a = all(1.0) / (v[i] + t), a2 = a * a;
        w[i] = a;
        W += a;
        WY += a * y[i];
        WX += a * x[i];
        S2 += a2;
        S3 += a2 * a;
    }
    vd iW = all(1.0) / W, my = WY * iW, mx = WX * iW, N = all(0), C = all(0), A1 = all(0), A2 = all(0), A3 = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd u = x[i] - mx, wu = w[i] * u, wuu = wu * u;
        N += wuu;
        C += wu * (y[i] - my);
        A1 += w[i] * wu;
        A2 += w[i] * wuu;
        A3 += w[i] * w[i] * wuu;
    }
    vd iN = all(1.0) / N, b = C * iN, R1 = all(0), R2 = all(0), R3 = all(0), B0 = all(0), B1 = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd u = x[i] - mx, e = (y[i] - my) - b * u, we = w[i] * e, wee = we * e, wwe = w[i] * we;
        R1 += wee;
        R2 += w[i] * wee;
        R3 += w[i] * w[i] * wee;
        B0 += wwe;
        B1 += wwe * u;
    }
    s.W = W; s.N = N; s.S2 = S2; s.S3 = S3; s.A1 = A1; s.A2 = A2; s.A3 = A3; s.my = my; s.mx = mx; s.b = b;
    s.iW = iW; s.iN = iN; s.R1 = R1; s.R2 = R2; s.R3 = R3; s.B0 = B0; s.B1 = B1;
    return s;
}

INLINE void line_equation(int method, const line *s, vd df, vd *f, vd *step, vi *flat) {
    if (method == PM) {
        *flat = (vi){0};
        *f = s->R1 - df;
        *step = (s->R1 - df) / s->R2 * (s->R1 / df);
        return;
    }
    vd cube = s->R3 - s->B0 * s->B0 * s->iW - s->B1 * s->B1 * s->iN, tr = s->W, tr2 = s->S2;
    if (method == REML) {
        vd a = s->S2 * s->iW, c = s->A2 * s->iN, cross = (s->A1 * s->iW) * (s->A1 * s->iN);
        tr = s->W - a - c;
        tr2 = s->S2 - all(2) * (s->S3 * s->iW + s->A3 * s->iN) + a * a + all(2) * cross + c * c;
    }
    vd score = s->R2 - tr, d = all(2) * cube - tr2 - all(2) * score * tr2 / tr;
    *flat = ~(d > all(LEAST_CURVATURE) * tr2);
    d = pick(*flat, tr2, d);
    *f = score;
    *step = score / d;
}

/* The root on the way from `start`; 0 in lanes frozen. `border`: the equation is known not to be positive at zero. */
INLINE vd line_root(int method, int64_t k, const vd *y, const vd *x, const vd *v, vd *w, vd df, vd start, vd typical,
                    vi frozen, vi border) {
    vd t = pick(frozen, all(0), start), low = all(-1), high = all(INFINITY);
    vi done = frozen;
    for (int pass = 0; pass < 200 && any(~done); pass++) {
        line s = line_at(k, y, x, v, t, w);
        vd f, step;
        vi flat;
        line_equation(method, &s, df, &f, &step, &flat);
        low = pick(f > all(0), t, low);
        high = pick(f > all(0), high, t);
        vd next = larger(t + step, all(0));
        vi still = absolute(next - t) <= all(LAST_STEP) * (next + typical);
        flat &= still & (high - larger(low, all(0)) > all(SHUT) * (t + typical)) & ~(border & (next == all(0)));
        flat &= ~((t == all(0)) & ~(f > all(0)));
        still &= ~flat;
        vi inside = still | (~flat & (next > low) & (next < high));
        if (pass >= PATIENCE && pass % 2) inside = still;
        vd middle = pick(high < all(INFINITY), all(0.5) * (larger(low, all(0)) + high), all(2) * t + typical);
        next = pick(inside, next, middle);
        vi zero = ((t == all(0)) & ~(f > all(0))) | (border & inside & (next == all(0)));
        next = pick(zero, all(0), next);
        t = pick(done, t, next);
        done |= still | zero;
    }
    return t;
}

/* Twice the (restricted) log-likelihood at t, without constants. */
INLINE vd line_height(int method, int64_t k, const vd *y, const vd *x, const vd *v, vd *w, vd t) {
    line s = line_at(k, y, x, v, t, w);
    vd out;
    for (int l = 0; l < LANES; l++) {
        double logs = 0, product = 1;
        for (int64_t i = 0; i < k; i++) {
            product *= w[i][l];
            if (product < 1e-200 || product > 1e200) { logs += log(product); product = 1; }
        }
        logs += log(product);
        out[l] = logs - s.R1[l] - (method == REML ? log(s.W[l]) + log(s.N[l]) : 0.0);
    }
    return out;
}

typedef struct {
    int64_t k, count;
    const double *effect, *moderator;
    int shared_effect, shared_moderator;
    vd *y, *x, *v, *w;
    double *out;
} lines;

/* Brings eight regressions by number into the lanes; idle lanes repeat the first. */
INLINE void bring(lines *a, const int64_t *which, int64_t lanes) {
    for (int64_t i = 0; i < a->k; i++)
        for (int l = 0; l < LANES; l++) {
            int64_t b = which[l < lanes ? l : 0];
            if (!a->shared_effect) ((double *)a->y)[i * LANES + l] = a->effect[i * a->count + b];
            if (!a->shared_moderator) ((double *)a->x)[i * LANES + l] = a->moderator[i * a->count + b];
        }
}

INLINE void keep(lines *a, const int64_t *which, int64_t lanes, vd t, const line *s) {
    for (int l = 0; l < lanes; l++) {
        double *to = a->out + which[l];
        to[0] = t[l];
        to[a->count] = s->my[l];
        to[2 * a->count] = s->mx[l];
        to[3 * a->count] = s->b[l];
        to[4 * a->count] = s->W[l];
        to[5 * a->count] = s->N[l];
        to[6 * a->count] = s->R1[l];
    }
}

/* Least squares without weights: Hedges' estimate, and a bound above every maximum of a likelihood. */
INLINE void plain(const lines *a, vd df, double least, double most, vd *hedges, vd *far) {
    vd k = all((double)a->k), my = all(0), mx = all(0), N = all(0), C = all(0), rss = all(0), vu = all(0), vs = all(0);
    for (int64_t i = 0; i < a->k; i++) { my += a->y[i]; mx += a->x[i]; vs += a->v[i]; }
    my /= k;
    mx /= k;
    for (int64_t i = 0; i < a->k; i++) {
        vd u = a->x[i] - mx;
        N += u * u;
        C += u * (a->y[i] - my);
        vu += a->v[i] * u * u;
    }
    vd b = C / N;
    for (int64_t i = 0; i < a->k; i++) {
        vd e = (a->y[i] - my) - b * (a->x[i] - mx);
        rss += e * e;
    }
    vd m = rss / df;
    *hedges = larger(m - (vs - vs / k - vu / N) / df, all(0));
    for (int l = 0; l < LANES; l++) {
        double u = 0.5 * (m[l] + sqrt(m[l] * (m[l] + 4.0 * (most - least)))) * (1.0 + 1e-12) - least;
        (*far)[l] = u > 0 ? u : 0.0;
    }
}

/* effect, moderator : (k, count), or (k) where shared.  variance : (k).
 * out : seven rows of `count`: tau2, weighted means of effect and moderator, slope, W, N, and the residual sum of squares.
 *
 * Of ML and REML, all regressions are fitted at zero first. Where the score there is positive, the search starts at
 * Hedges' estimate. Elsewhere zero is one maximum and there may be others: such regressions are searched from far above
 * and from Hedges' estimate, and the likelihood decides. Regressions in one and the same situation share the lanes.
 */
MANY_TARGETS
int balm_lines(int64_t k, int64_t count, const double *effect, int shared_effect, const double *moderator, int shared_moderator,
               const double *variance, int method, double *out) {
    vd *y = aligned_alloc(64, (size_t)(k + 1) * sizeof(vd) * 4);
    int64_t *inner = malloc((size_t)(count + 1) * sizeof *inner), *border = malloc((size_t)(count + 1) * sizeof *border);
    double *start = malloc((size_t)(count + 1) * sizeof *start * 2);
    if (!y || !inner || !border || !start) { free(y); free(inner); free(border); free(start); return -1; }
    double *above = start + count + 1, least = INFINITY, most = 0, total = 0;
    vd *x = y + k + 1, *v = x + k + 1, *w = v + k + 1;
    for (int64_t i = 0; i < k; i++) {
        v[i] = all(variance[i]);
        if (shared_effect) y[i] = all(effect[i]);
        if (shared_moderator) x[i] = all(moderator[i]);
        if (variance[i] < least) least = variance[i];
        if (variance[i] > most) most = variance[i];
        total += 1.0 / variance[i];
    }
    lines a = {k, count, effect, moderator, shared_effect, shared_moderator, y, x, v, w, out};
    vd df = all((double)(k - 2)), typical = all((double)k / total);
    vi none = {0};
    int64_t inners = 0, borders = 0, doubtful = 0, rivals = 0;

    for (int64_t first = 0; first < count; first += LANES) {
        int64_t lanes = count - first < LANES ? count - first : LANES, which[LANES];
        for (int l = 0; l < LANES; l++) which[l] = first + (l < lanes ? l : 0);
        bring(&a, which, lanes);
        line s = line_at(k, y, x, v, all(0), w);
        vd t = all(0), f, step;
        vi flat;
        line_equation(method == DL ? PM : method, &s, df, &f, &step, &flat);
        if (method == DL || method == PM) {
            if (method == DL) t = larger((s.R1 - df) / (s.W - s.S2 / s.W - s.A2 / s.N), all(0));
            else t = line_root(PM, k, y, x, v, w, df, all(0), typical, f <= all(0), none);
            if (any(t > all(0))) s = line_at(k, y, x, v, t, w);
        } else {
            vd hedges, far;
            plain(&a, df, least, most, &hedges, &far);
            for (int l = 0; l < lanes; l++) {
                int64_t b = which[l];
                start[b] = hedges[l];
                above[b] = far[l];
                if (f[l] > 0) {
                    if (!(hedges[l] > 0)) start[b] = step[l] > 0 ? step[l] : 0.0;
                    inner[inners++] = b;
                } else if (far[l] > 0 || hedges[l] > 0) border[borders++] = b;
            }
        }
        keep(&a, which, lanes, t, &s);
    }
    for (int64_t first = 0; first < inners; first += LANES) {
        int64_t lanes = inners - first < LANES ? inners - first : LANES;
        const int64_t *which = inner + first;
        vd from;
        for (int l = 0; l < LANES; l++) from[l] = start[which[l < lanes ? l : 0]];
        bring(&a, which, lanes);
        vd t = line_root(method, k, y, x, v, w, df, from, typical, none, none);
        line s = line_at(k, y, x, v, t, w);
        keep(&a, which, lanes, t, &s);
    }
    /* `above` becomes the root found from above, `start` that found from Hedges' estimate; `inner` lists the latter. */
    for (int64_t first = 0; first < borders; first += LANES) {
        int64_t lanes = borders - first < LANES ? borders - first : LANES;
        const int64_t *which = border + first;
        vd from;
        for (int l = 0; l < LANES; l++) from[l] = above[which[l < lanes ? l : 0]];
        bring(&a, which, lanes);
        vd t = line_root(method, k, y, x, v, w, df, from, typical, none, ~none);
        for (int l = 0; l < lanes; l++) {
            above[which[l]] = t[l];
            if (start[which[l]] > 0) inner[doubtful++] = which[l];
        }
    }
    for (int64_t first = 0; first < doubtful; first += LANES) {
        int64_t lanes = doubtful - first < LANES ? doubtful - first : LANES;
        const int64_t *which = inner + first;
        vd from;
        for (int l = 0; l < LANES; l++) from[l] = start[which[l < lanes ? l : 0]];
        bring(&a, which, lanes);
        vd t = line_root(method, k, y, x, v, w, df, from, typical, none, ~none);
        for (int l = 0; l < lanes; l++) start[which[l]] = t[l];
    }
    for (int64_t i = 0; i < borders; i++)
        if (above[border[i]] > 0 || start[border[i]] > 0) border[rivals++] = border[i];
    for (int64_t first = 0; first < rivals; first += LANES) {
        int64_t lanes = rivals - first < LANES ? rivals - first : LANES;
        const int64_t *which = border + first;
        vd near, far;
        for (int l = 0; l < LANES; l++) {
            near[l] = start[which[l < lanes ? l : 0]];
            far[l] = above[which[l < lanes ? l : 0]];
        }
        bring(&a, which, lanes);
        vd best = all(0), height = line_height(method, k, y, x, v, w, all(0)), here = line_height(method, k, y, x, v, w, near);
        best = pick(here > height, near, best);
        height = larger(here, height);
        here = line_height(method, k, y, x, v, w, far);
        best = pick(here > height, far, best);
        line s = line_at(k, y, x, v, best, w);
        keep(&a, which, lanes, best, &s);
    }
    free(y);
    free(inner);
    free(border);
    free(start);
    return 0;
}
