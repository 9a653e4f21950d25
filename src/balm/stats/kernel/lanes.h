/* Eight analyses side by side in SIMD lanes: the estimating equations, their roots and the block they are solved on.
 *
 * A block is transposed to [study][lane]. A missing slot holds v = 1e300, whose weight vanishes, so no masks are needed
 * in the sums. Lanes that have converged stay frozen. The estimating equations are those of
 * balm.stats.heterogeneity; this file only evaluates them faster. Who fills the lanes (groups, subsets, left-out
 * studies) is told in the files that include this one.
 *
 * Sums at tau2 = t, with w = 1/(v + t) and r = y - sum(w y)/sum(w):
 *   trP    = W - S2/W                       y'PPy  = sum w^2 r^2
 *   trPP   = S2 - 2 S3/W + (S2/W)^2         y'PPPy = sum w^3 r^2 - (sum w^2 r)^2 / W
 * REML solves y'PPy = trP; the step is Newton's on that equation, safeguarded by a bracket, with the Fisher step
 * where the curvature is not usable (Viechtbauer 2005; Harville 1977).
 */
#ifndef BALM_LANES_H
#define BALM_LANES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 8
/* Relative size of the last step taken. The steps converge quadratically: what is left is about its square. */
#define LAST_STEP 1e-7
/* From here on every second step halves the bracket. */
#define PATIENCE 20
/* Below this share of the expected information the observed curvature is not trusted and Fisher's is used. */
#define LEAST_CURVATURE 0.01
/* Where it is not trusted, small steps prove nothing (a double root nearby): the bracket is halved to this size. */
#define SHUT 1e-14
/* Where the likelihood is looked at for other maxima: the same numbers as in hills.py. */
#define FAR_APART 300.0
#define MANY_STEPS 5.0
#define FIRST_LOOK 0.05
#define HALVINGS 5
typedef double vd __attribute__((vector_size(64)));
typedef int64_t vi __attribute__((vector_size(64)));

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MANY_TARGETS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MANY_TARGETS
#endif
#define INLINE static inline __attribute__((always_inline))

enum { DL = 0, REML = 1, ML = 2, PM = 3, FIXED = 4 };

INLINE vd pick(vi m, vd a, vd b) { return (vd)(((vi)a & m) | ((vi)b & ~m)); }
INLINE vd all(double x) { return (vd){x, x, x, x, x, x, x, x}; }
INLINE int any(vi m) {
    int64_t x = 0;
    for (int l = 0; l < LANES; l++) x |= m[l];
    return x != 0;
}
INLINE vd larger(vd a, vd b) { return pick(a > b, a, b); }
INLINE vd absolute(vd a) { return pick(a < all(0.0), -a, a); }

typedef struct {
    vd W, iW, S2, S3, mu, R1, R2, R3, B; /* iW = 1/W; R1 = sum w r^2, R2 = sum w^2 r^2, R3 = sum w^3 r^2, B = sum w^2 r */
} sums;

/* Everything the equations need at t: two passes over the block, centred residuals. */
INLINE sums at(int64_t k, const vd *y, const vd *v, vd t, vd *w) {
    sums s;
    vd W = all(0), WY = all(0), S2 = all(0), S3 = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd x = all(1.0) / (v[i] + t), x2 = x * x;
        w[i] = x;
        W += x;
        WY += x * y[i];
        S2 += x2;
        S3 += x2 * x;
    }
    vd iW = all(1.0) / W, mu = WY * iW, R1 = all(0), R2 = all(0), R3 = all(0), B = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd x = w[i], r = y[i] - mu, xr = x * r, xr2 = xr * r;
        R1 += xr2;
        R2 += x * xr2;
        R3 += x * x * xr2;
        B += x * xr;
    }
    s.W = W; s.iW = iW; s.S2 = S2; s.S3 = S3; s.mu = mu; s.R1 = R1; s.R2 = R2; s.R3 = R3; s.B = B;
    return s;
}

/* tr P and tr PP; for ML sum w and sum w^2. */
INLINE void traces(int method, sums s, vd *tr, vd *tr2) {
    if (method == REML) {
        vd ratio = s.S2 * s.iW;
        *tr = s.W - ratio;
        *tr2 = s.S2 - all(2) * s.S3 * s.iW + ratio * ratio;
    } else {
        *tr = s.W;
        *tr2 = s.S2;
    }
}

/* Estimating function and the step towards its root. `flat`: the curvature is not that of a root nearby, or hardly, and
 * Fisher's step is given, which says nothing about how far the root is. */
INLINE void equation(int method, sums s, vd df, vd *f, vd *step, vi *flat) {
    if (method == PM) { /* Q(t) = k - 1: Newton on 1/Q */
        vd q = s.R1;
        *f = q - df;
        *step = (q - df) / s.R2 * (q / df);
        *flat = (vi){0};
        return;
    }
    vd yPPPy = s.R3 - s.B * s.B * s.iW;
    vd tr, tr2;
    traces(method, s, &tr, &tr2);
    vd score = s.R2 - tr;
    vd d = all(2) * yPPPy - tr2 - all(2) * score * tr2 / tr;
    *flat = d <= all(LEAST_CURVATURE) * tr2;
    d = pick(*flat, tr2, d);
    *f = score;
    *step = score / d;
}

/* Root of the estimating equation from a start, in every lane not frozen; `at_zero` where the root is the boundary. */
INLINE vd root(int method, int64_t k, const vd *y, const vd *v, vd *w, vd df, vd start, vd typical, vi positive, vi frozen, vd keep,
               int *passes) {
    /* Where the function is positive at zero, zero is the lower end of the bracket; elsewhere the root may be zero. */
    vd t = pick(frozen, keep, start), low = pick(positive, all(0), all(-1)), high = all(INFINITY);
    vi done = frozen;
    for (int pass = 0; pass < 200 && any(~done); pass++) {
        sums s = at(k, y, v, t, w);
        (*passes)++;
        vd f, step;
        vi flat;
        equation(method, s, df, &f, &step, &flat);
        low = pick(~done & (f > all(0)), t, low);
        high = pick(~done & (f <= all(0)), t, high);
        vd next = t + step;
        next = larger(next, all(0));
        vi still = absolute(next - t) <= all(LAST_STEP) * (t + typical);
        flat &= still & (high - larger(low, all(0)) > all(SHUT) * (t + typical)) & (positive | (next > all(0)));
        still &= ~flat;
        vi outside = flat | (((next >= high) | (next <= low)) & (high < all(INFINITY)) & ~still);
        if (pass >= PATIENCE && pass % 2) /* near a double root the other steps creep */
            outside = ~still & ~((t == all(0)) & (f <= all(0)));
        vd middle = pick(high < all(INFINITY), all(0.5) * (larger(low, all(0)) + high), all(2) * t + typical);
        next = pick(outside, middle, next);
        /* where the function is not positive at zero, a step to zero has arrived there */
        vi arrived = still | ((t == all(0)) & (f <= all(0))) | (~positive & ~outside & (next == all(0)));
        t = pick(done, t, next);
        done |= arrived;
    }
    return t;
}

INLINE vd profile_bound(int64_t k, const vd *y, const vd *v, vd *w, vd target, vd q0, vd typical) {
    vd t = all(0);
    vi done = (q0 <= target) | (target <= all(0));
    for (int pass = 0; pass < 200 && any(~done); pass++) {
        vd W = all(0), WY = all(0);
        for (int64_t i = 0; i < k; i++) {
            vd x = all(1.0) / (v[i] + t);
            w[i] = x;
            W += x;
            WY += x * y[i];
        }
        vd mu = WY / W, q = all(0), d = all(0);
        for (int64_t i = 0; i < k; i++) {
            vd r = y[i] - mu, xr = w[i] * r;
            q += xr * r;
            d += xr * xr;
        }
        vd step = (q - target) / d * (q / target);
        vd next = t + step;
        next = larger(next, t); /* Q is convex and decreasing: the iteration climbs from below */
        vi still = (next - t) <= all(LAST_STEP) * (next + typical);
        t = pick(done, t, next);
        done |= still;
    }
    return t;
}

/* Twice the (restricted) log-likelihood at t, without constants. */
INLINE vd likelihood(int method, int64_t k, const vd *y, const vd *v, vd *w, vd t, const int64_t *size) {
    sums s = at(k, y, v, t, w);
    vd out;
    for (int l = 0; l < LANES; l++) {
        double logs = 0, product = 1;
        for (int64_t i = 0; i < size[l]; i++) {
            product *= w[i][l];
            if (product < 1e-200 || product > 1e200) { logs += log(product); product = 1; }
        }
        logs += log(product);
        out[l] = logs - s.R1[l] - (method == REML ? log(s.W[l]) : 0.0);
    }
    return out;
}

/* Eight analyses, ready to be solved. Whoever loads fills `size` and the first size[l] slots of lane l of y and v. */
typedef struct {
    int64_t k, size[LANES]; /* the largest size, and each lane's */
    vd *y, *v, *w;
    vd df, hedges, centre, typical, mean, span, least;
} block;

#define MISSING 1e300

/* Room for blocks of up to `largest` studies; 0 when memory runs out. Freed by free(b->y). */
INLINE int room(block *b, int64_t largest) {
    b->y = aligned_alloc(64, (size_t)(largest + 1) * sizeof(vd) * 3);
    if (!b->y) return 0;
    b->v = b->y + largest + 1;
    b->w = b->v + largest + 1;
    return 1;
}

INLINE void put(block *b, int64_t i, int lane, double y, double v) {
    ((double *)b->y)[i * LANES + lane] = y;
    ((double *)b->v)[i * LANES + lane] = v;
}

/* Slots beyond a lane's own studies are marked missing; effects are counted from their plain mean. */
INLINE void prepare(block *b) {
    vd n, mean = all(0), vbar = all(0), precision = all(0), ss = all(0), least = all(INFINITY), most = all(0);
    b->k = 0;
    for (int l = 0; l < LANES; l++) {
        n[l] = (double)b->size[l];
        if (b->size[l] > b->k) b->k = b->size[l];
    }
    for (int l = 0; l < LANES; l++)
        for (int64_t i = b->size[l]; i < b->k; i++) put(b, i, l, 0, MISSING);
    for (int64_t i = 0; i < b->k; i++) {
        vi there = b->v[i] < all(MISSING);
        mean += b->y[i];
        vbar += pick(there, b->v[i], all(0));
        precision += pick(there, all(1) / b->v[i], all(0));
        least = pick(b->v[i] < least, b->v[i], least);
        most = pick(there & (b->v[i] > most), b->v[i], most);
    }
    mean /= n;
    vbar /= n;
    for (int64_t i = 0; i < b->k; i++) {
        vd r = pick(b->v[i] < all(MISSING), b->y[i] - mean, all(0));
        ss += r * r;
        b->y[i] = r;
    }
    b->df = pick(n > all(1), n - all(1), all(1));
    b->hedges = larger(pick(n > all(1), ss / b->df - vbar, all(0)), all(0));
    b->mean = vbar;
    b->span = pick((least > all(1e-90)) & (most < all(1e90)), most / least, all(INFINITY));
    b->least = least;
    b->centre = mean;
    b->typical = n / precision; /* the harmonic mean: one vast variance does not make a step look small */
}

INLINE vd square_root(vd a) {
    vd out;
    for (int l = 0; l < LANES; l++) out[l] = sqrt(a[l]);
    return out;
}

/* The score's value at t: positive where the likelihood rises. */
INLINE vd rise(int method, int64_t k, const vd *y, const vd *v, vd *w, vd t) {
    vd W = all(0), WY = all(0), S2 = all(0), R2 = all(0);
    for (int64_t i = 0; i < k; i++) {
        vd x = all(1.0) / (v[i] + t);
        w[i] = x;
        W += x;
        WY += x * y[i];
        S2 += x * x;
    }
    vd mu = WY / W;
    for (int64_t i = 0; i < k; i++) {
        vd xr = w[i] * (y[i] - mu);
        R2 += xr * xr;
    }
    return R2 - (method == REML ? W - S2 / W : W);
}

/* Ends outside which the score beyond t0 is not positive, from its sums at t0 (see balm/stats/heterogeneity/hills.py:
 * there t0 is zero; t0 can count as part of the variances). */
INLINE void where_rising(int method, const block *b, vd t0, const sums *there, vd *low, vd *high) {
    vd S = there->R2, Q = there->R1, T, U, a = b->least + t0, m = b->mean + t0, df = method == REML ? b->df : b->df + all(1);
    traces(method, *there, &T, &U);
    vi none = S <= all(0);
    S = pick(none, all(1), S);
    vd r = U / T, at = Q / S, h = Q / df, s = (b->hedges + b->mean) * (b->df / df);
    vd c = s - all(2) * a, inside = c * c + all(4) * (s * m - a * a);
    vd end = all(0.5) * (c + square_root(larger(inside, all(0))));
    c = all(2) * T * at - S * at * at * r;
    inside = c * c - all(4) * T * (T - S) * at * at;
    vd width = square_root(larger(inside, all(0))), first = all(0.5) * (-c - width) / T, last = all(0.5) * (-c + width) / T;
    vi early = (inside > all(0)) & (last > all(0)) & (first < at);
    vd far = h * m / (all(4) - h), d = all(4) * T - Q * r;
    end = pick((h < all(4)) & (far < end), far, end);
    far = Q / d;
    end = pick((d > all(0)) & (far < end), far, end);
    *high = t0 + pick(end > at, end, pick(early, pick(last < at, last, at), all(0)));
    *low = t0 + pick(none, all(INFINITY), pick(early, first, at));
}

/* best, or the maximum of another hill up to `high` where that is higher, in the lanes where low < high. */
static __attribute__((noinline, unused)) void highest_hill(int method, const block *b, const vi *rising, const vd *low, const vd *high,
                                                           vd *best) {
    int64_t k = b->k;
    const vd *y = b->y, *v = b->v;
    vd *w = b->w, t = *best, bottom = all(0), top = *high;
    vi above = *rising, looking = *low < top;
    vd from = pick(looking, larger(*low, all(FIRST_LOOK) * b->least), all(1));
    int passes = 0;
    for (int look = 0; look < 2000 && any(looking); look++) {
        vd after = all(2) * from;
        vi now = rise(method, k, y, v, w, after) > all(0);
        vi hill = looking & above & ~now & ~((t > bottom) & (t <= after));
        if (any(hill)) {
            vd start = from;
            double factor = 2;
            for (int i = 0; i < HALVINGS; i++) {
                factor = sqrt(factor);
                vd middle = start * all(factor);
                start = pick(rise(method, k, y, v, w, middle) > all(0), middle, start);
            }
            vd there = root(method, k, y, v, w, b->df, start * all(sqrt(factor)), b->typical, hill & ~hill, ~hill, t, &passes);
            vd here = likelihood(method, k, y, v, w, t, b->size), height = likelihood(method, k, y, v, w, there, b->size);
            t = pick(hill & (height > here), there, t);
        }
        above = now;
        bottom = from = after;
        looking &= bottom < top;
    }
    *best = t;
}

/* What is solved of an analysis, COLUMNS numbers; see balm/stats/kernel/__init__.py for their names. */
#define COLUMNS 16

/* Solves a prepared block: column j of each lane to `solved[j]`.
 *
 * chi_low, chi_high : chi-square quantiles of each lane for the ends of the Q-profile interval, or null. */
void balm_solve_block(block *b, int method, double fixed, const vd *chi_low, const vd *chi_high, vd *solved);

/* The first `lanes` lanes of what was solved, each as a row. */
INLINE void write_rows(const vd *solved, int64_t lanes, double *const *rows) {
    for (int64_t l = 0; l < lanes; l++)
        for (int j = 0; j < COLUMNS; j++) rows[l][j] = solved[j][l];
}

#endif
