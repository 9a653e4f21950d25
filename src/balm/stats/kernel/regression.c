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
    vd W, N, S2, S3, A1, A2, A3, my, mx, b, R1, R2, R3, B0, B1;
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
    vd my = WY / W, mx = WX / W, N = all(0), C = all(0), A1 = all(0), A2 = all(0), A3 = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd u = x[i] - mx, wu = w[i] * u, wuu = wu * u;
        N += wuu;
        C += wu * (y[i] - my);
        A1 += w[i] * wu;
        A2 += w[i] * wuu;
        A3 += w[i] * w[i] * wuu;
    }
    vd b = C / N, R1 = all(0), R2 = all(0), R3 = all(0), B0 = all(0), B1 = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd u = x[i] - mx, e = (y[i] - my) - b * u, we = w[i] * e, wee = we * e, wwe = w[i] * we;
        R1 += wee;
        R2 += w[i] * wee;
        R3 += w[i] * w[i] * wee;
        B0 += wwe;
        B1 += wwe * u;
    }
    s.W = W; s.N = N; s.S2 = S2; s.S3 = S3; s.A1 = A1; s.A2 = A2; s.A3 = A3; s.my = my; s.mx = mx; s.b = b;
    s.R1 = R1; s.R2 = R2; s.R3 = R3; s.B0 = B0; s.B1 = B1;
    return s;
}

INLINE void line_equation(int method, const line *s, vd df, vd *f, vd *step) {
    if (method == PM) {
        *f = s->R1 - df;
        *step = (s->R1 - df) / s->R2 * (s->R1 / df);
        return;
    }
    vd cube = s->R3 - s->B0 * s->B0 / s->W - s->B1 * s->B1 / s->N, tr = s->W, tr2 = s->S2;
    if (method == REML) {
        vd a = s->S2 / s->W, c = s->A2 / s->N;
        tr = s->W - a - c;
        tr2 = s->S2 - all(2) * (s->S3 / s->W + s->A3 / s->N) + a * a + all(2) * s->A1 * s->A1 / (s->W * s->N) + c * c;
    }
    vd score = s->R2 - tr, d = all(2) * cube - tr2 - all(2) * score * tr2 / tr;
    d = pick(d > all(0.01) * tr2, d, tr2);
    *f = score;
    *step = score / d;
}

/* From here on every second step halves the bracket: near a double root the other steps creep. */
#define PATIENCE 20

INLINE vd line_root(int method, int64_t k, const vd *y, const vd *x, const vd *v, vd *w, vd df, vd start, vd typical,
                    vi frozen, vd keep) {
    vd t = pick(frozen, keep, start), low = all(-1), high = all(INFINITY);
    vi done = frozen;
    for (int pass = 0; pass < 200 && any(~done); pass++) {
        line s = line_at(k, y, x, v, t, w);
        vd f, step;
        line_equation(method, &s, df, &f, &step);
        low = pick(f > all(0), t, low);
        high = pick(f > all(0), high, t);
        vd next = larger(t + step, all(0));
        vi still = absolute(next - t) <= all(LAST_STEP) * (next + typical);
        vi inside = still | ((next > low) & (next < high));
        if (pass >= PATIENCE && pass % 2) inside = still;
        vd middle = pick(high < all(INFINITY), all(0.5) * (larger(low, all(0)) + high), all(2) * t + typical);
        next = pick(inside, next, middle);
        vi zero = (t == all(0)) & ~(f > all(0));
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

/* One study's values in eight consecutive regressions, or its one value in all. */
INLINE void fill(vd *to, int64_t k, const double *from, int64_t count, int shared, int64_t first, int64_t lanes) {
    for (int64_t i = 0; i < k; i++)
        for (int l = 0; l < LANES; l++)
            ((double *)to)[i * LANES + l] = shared ? from[i] : from[i * count + first + (l < lanes ? l : 0)];
}

/* effect, moderator : (k, count), or (k) where shared.  variance : (k).
 * out : seven rows of `count`: tau2, weighted means of effect and moderator, slope, W, N, and the residual sum of squares.
 */
MANY_TARGETS
int balm_lines(int64_t k, int64_t count, const double *effect, int shared_effect, const double *moderator, int shared_moderator,
               const double *variance, int method, double *out) {
    vd *y = aligned_alloc(64, (size_t)(k + 1) * sizeof(vd) * 4);
    if (!y) return -1;
    vd *x = y + k + 1, *v = x + k + 1, *w = v + k + 1;
    double least = INFINITY, most = 0, total = 0;
    for (int64_t i = 0; i < k; i++) {
        v[i] = all(variance[i]);
        if (variance[i] < least) least = variance[i];
        if (variance[i] > most) most = variance[i];
        total += 1.0 / variance[i];
    }
    vd df = all((double)(k - 2)), typical = all((double)k / total);
    for (int64_t first = 0; first < count; first += LANES) {
        int64_t lanes = count - first < LANES ? count - first : LANES;
        if (first == 0 || !shared_effect) fill(y, k, effect, count, shared_effect, first, lanes);
        if (first == 0 || !shared_moderator) fill(x, k, moderator, count, shared_moderator, first, lanes);
        line zero = line_at(k, y, x, v, all(0), w);
        vd t = all(0);
        if (method == DL) {
            t = (zero.R1 - df) / (zero.W - zero.S2 / zero.W - zero.A2 / zero.N);
            t = larger(t, all(0));
        } else {
            vd f0, step0;
            line_equation(method, &zero, df, &f0, &step0);
            if (method == PM) {
                t = line_root(PM, k, y, x, v, w, df, all(0), typical, f0 <= all(0), all(0));
            } else {
                /* Least squares without weights: Hedges' estimate, and a bound above every root. */
                vd my = all(0), mx = all(0), N = all(0), C = all(0), rss = all(0), vu = all(0), vs = all(0);
                for (int64_t i = 0; i < k; i++) { my += y[i]; mx += x[i]; vs += v[i]; }
                my /= all((double)k);
                mx /= all((double)k);
                for (int64_t i = 0; i < k; i++) {
                    vd u = x[i] - mx;
                    N += u * u;
                    C += u * (y[i] - my);
                    vu += v[i] * u * u;
                }
                vd b = C / N;
                for (int64_t i = 0; i < k; i++) {
                    vd e = (y[i] - my) - b * (x[i] - mx);
                    rss += e * e;
                }
                vd square = rss / df, far;
                vd hedges = larger(square - (vs - vs / all((double)k) - vu / N) / df, all(0));
                for (int l = 0; l < LANES; l++) {
                    double m = square[l], u = 0.5 * (m + sqrt(m * (m + 4.0 * (most - least))));
                    far[l] = u * (1.0 + 1e-12) - least > 0 ? u * (1.0 + 1e-12) - least : 0.0;
                }
                /* Where the score at zero is not positive, zero is one maximum and there may be others inside: such
                 * lanes are searched from far above and from Hedges' estimate, and the likelihood decides. */
                vi boundary = f0 <= all(0);
                vd from = pick(hedges > all(0), hedges, larger(step0, all(0)));
                t = line_root(method, k, y, x, v, w, df, pick(boundary, far, from), typical, boundary & (far <= all(0)), all(0));
                vi more = boundary & (hedges > all(0));
                vd near = all(0);
                if (any(more)) near = line_root(method, k, y, x, v, w, df, hedges, typical, ~more, all(0));
                vi rivals = boundary & ((t > all(0)) | (near > all(0)));
                if (any(rivals)) {
                    vd best = all(0), height = line_height(method, k, y, x, v, w, all(0));
                    vd here = line_height(method, k, y, x, v, w, near);
                    best = pick(here > height, near, best);
                    height = larger(here, height);
                    here = line_height(method, k, y, x, v, w, t);
                    best = pick(here > height, t, best);
                    t = pick(rivals, best, t);
                }
            }
        }
        line s = line_at(k, y, x, v, t, w);
        double *row = out + first;
        for (int l = 0; l < lanes; l++) {
            row[l] = t[l];
            row[count + l] = s.my[l];
            row[2 * count + l] = s.mx[l];
            row[3 * count + l] = s.b[l];
            row[4 * count + l] = s.W[l];
            row[5 * count + l] = s.N[l];
            row[6 * count + l] = s.R1[l];
        }
    }
    free(y);
    return 0;
}
