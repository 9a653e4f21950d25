/* Eight prepared analyses solved: the root of the estimating equation, the sums at it and at zero, the Q-profile ends.
 *
 * Plain C, no Python headers. Who fills the lanes (groups, subsets, left-out studies) calls this.
 */
#include "lanes.h"

MANY_TARGETS
void balm_solve_block(block *b, int method, double fixed, const vd *chi_low, const vd *chi_high, vd *solved) {
    int64_t k = b->k;
    const int64_t *size = b->size;
    const vd *y = b->y, *v = b->v;
    vd *w = b->w, df = b->df, typical = b->typical;
    sums zero = at(k, y, v, all(0), w);
    vd dl = (zero.R1 - df) / (zero.W - zero.S2 / zero.W);
    dl = pick(dl > all(0), dl, all(0));
    vi single;
    for (int l = 0; l < LANES; l++) single[l] = size[l] < 2 ? -1 : 0;
    int passes = 1;
    vd t = dl;
    if (method == FIXED) t = all(fixed);
    else if (method != DL) {
        vd f0, step0;
        vi flat;
        equation(method, zero, df, &f0, &step0, &flat);
        if (method == PM) {
            vi none = (f0 <= all(0)) | single;
            t = root(PM, k, y, v, w, df, all(0), typical, ~none, none, all(0), &passes);
        } else {
            /* Where the score at zero is not positive, zero is a maximum; elsewhere a root is sought from Hedges'
             * estimate. What other maxima there may be is looked for wherever one can be. */
            vi boundary = (f0 <= all(0)) | single, whole = b->span > all(FAR_APART);
            vd from = pick(b->hedges > all(0), b->hedges, larger(step0, all(0)));
            t = root(method, k, y, v, w, df, from, typical, ~boundary, boundary, all(0), &passes);
            vd tr, tr2, low, high;
            traces(method, zero, &tr, &tr2);
            where_rising(method, b, all(0), &zero, &low, &high);
            vi doubtful = boundary & ~single & (low < high) & (low > all(0));
            if (any(doubtful)) { /* the same from where it may begin to rise: most are settled */
                vd at_low = pick(doubtful, low, all(0)), low2, high2;
                sums further = at(k, y, v, at_low, w);
                where_rising(method, b, at_low, &further, &low2, &high2);
                vd f2, step2;
                equation(method, further, df, &f2, &step2, &flat);
                doubtful &= f2 <= all(0);
                low = pick(doubtful, low2, low);
                high = pick(doubtful & (high2 < high), high2, high);
            }
            vd fisher = f0 / tr2;
            vi steps = ~boundary & ~whole & (t > all(MANY_STEPS) * fisher);
            low = pick(boundary, low, pick(whole, all(0), pick(steps, fisher, all(INFINITY))));
            low = pick(single | ~(b->span < all(INFINITY)), all(INFINITY), low);
            high = pick(steps, t, high);
            if (any(low < high)) {
                vd best = t;
                vi rising = ~boundary;
                highest_hill(method, b, &rising, &low, &high, &best);
                t = best;
            }
        }
    }
    sums s = at(k, y, v, t, w);
    vd f, step;
    vi flat;
    if (method == DL || method == FIXED) f = step = all(0);
    else equation(method, s, df, &f, &step, &flat);
    vd lower = all(0), upper = all(0);
    if (chi_low) {
        lower = profile_bound(k, y, v, w, *chi_high, zero.R1, typical);
        upper = profile_bound(k, y, v, w, *chi_low, zero.R1, typical);
    }
    vd within = df / (zero.W - zero.S2 / zero.W);
    solved[0] = t;
    solved[1] = s.mu + b->centre;
    solved[2] = s.W;
    solved[3] = s.R1;
    solved[4] = zero.mu + b->centre;
    solved[5] = zero.W;
    solved[6] = zero.S2;
    solved[7] = zero.R1;
    solved[8] = s.S2;
    solved[9] = s.S3;
    solved[10] = s.R3 - s.B * s.B / s.W;
    solved[11] = pick((t > all(0)) | (f > all(0)), absolute(step) / (t + within), all(0));
    solved[12] = lower;
    solved[13] = upper;
    solved[14] = zero.S3;
    solved[15] = b->span;
}
