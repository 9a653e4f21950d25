"""Fit the weights of ``balm.review.deduplication.score`` again: labelled sets four times, generated pairs once.

    python validation/deduplication/fit.py FOLDER_OF_LABELLED_SETS

Prints the weights and, leaving out each set in turn, how well the score ranks the pairs of the set it has not seen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from generate import exports
from labelled import CLUSTERED, clustered
from scipy.optimize import minimize

from balm.review.deduplication.blocking import candidate_pairs
from balm.review.deduplication.comparison import compare, joined
from balm.review.deduplication.prepared import prepare
from balm.review.deduplication.score import FEATURES, features_of

GENERATED, SEED = 20_000, 7
REAL_COUNTS = 4.0
#: The log-odds from which a pair becomes a question.
ASKED = np.log(1 / 9)
#: Pull towards zero; enough that a feature seen in a handful of pairs cannot run away.
RIDGE = 2.0
#: What speaks for one report may not count against it, and the other way round.
SIGNS = {
    f.name: -1 if any(w in f.name for w in ("differ", "contrast", "apart", "more", "another", "notice", "short")) else 1
    for f in FEATURES
}


def pairs_of(records, works):
    p = prepare(records)
    c = joined(list(compare(p, *candidate_pairs(p))))
    work = np.array(works)
    return features_of(c), (work[c.i] == work[c.j]).astype(float)


def fit(x, y, w):
    x1 = np.column_stack([np.ones(len(x)), x])

    def loss(b):
        z = x1 @ b
        value = np.sum(w * (np.logaddexp(0, z) - y * z)) + RIDGE * np.sum(b[1:] ** 2) / 2
        gradient = x1.T @ (w * (1 / (1 + np.exp(-z)) - y))
        gradient[1:] += RIDGE * b[1:]
        return value, gradient

    bounds = [(None, None)] + [(0, None) if SIGNS[f.name] > 0 else (None, 0) for f in FEATURES]
    return minimize(loss, np.zeros(x1.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x


def main() -> None:
    folder = Path(sys.argv[1])
    generated = list(exports(GENERATED, seed=SEED))
    sets = {"generated": (*pairs_of([r for r, _ in generated], [t for _, t in generated]), 1.0)}
    for name in CLUSTERED:
        sets[name] = (*pairs_of(*clustered(folder, name)), REAL_COUNTS)

    def stacked(without=None):
        kept = [v for k, v in sets.items() if k != without]
        return (
            np.concatenate([x for x, _, _ in kept]),
            np.concatenate([y for _, y, _ in kept]),
            np.concatenate([np.full(len(y), w) for _, y, w in kept]),
        )

    for name, (x, y, _) in sets.items():
        b = fit(*stacked(without=name))
        z = np.column_stack([np.ones(len(x)), x]) @ b
        print(
            f"left out {name}: {int(y.sum())} true of {len(y)} pairs; a score of 0.1 or more has "
            f"{np.mean(z[y == 1] >= ASKED):.4f} of the true and {np.mean(z[y == 0] >= ASKED):.4f} of the others"
        )
    b = fit(*stacked())
    print("INTERCEPT =", round(float(b[0]), 2))
    for feature, weight in zip(FEATURES, b[1:], strict=True):
        print(f"{weight:+.2f}  {feature.name}")
    print([round(float(v), 2) for v in b[1:]])


if __name__ == "__main__":
    main()
