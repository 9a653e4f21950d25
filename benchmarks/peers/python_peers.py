"""The Python peers, run in their own environment: PyMARE and statsmodels. Prints one JSON line."""

import csv
import json
import sys
import time
import warnings

warnings.simplefilter("ignore")


def read(path):
    with open(path, newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [float(r["y"]) for r in rows], [float(r["v"]) for r in rows], [r.get("g") for r in rows]


def pymare_fit(y, v):
    import numpy as np
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    fit = VarianceBasedLikelihoodEstimator(method="REML").fit_dataset(Dataset(np.array(y), np.array(v)))
    summary = fit.summary()
    fixed = summary.get_fe_stats()
    summary.get_re_stats()
    summary.get_heterogeneity_stats()
    return [float(fixed["est"].ravel()[0]), float(np.ravel(summary.tau2)[0])]


def statsmodels_fit(y, v):
    import numpy as np
    from statsmodels.stats.meta_analysis import combine_effects

    fit = combine_effects(np.array(y), np.array(v), method_re="iterated", use_t=True)
    fit.summary_frame()
    return [float(fit.mean_effect_re), float(fit.tau2)]


FITS = {"pymare": pymare_fit, "statsmodels": statsmodels_fit}

if __name__ == "__main__":
    peer, task, path, repeats = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    y, v, g = read(path)
    fit = FITS[peer]
    if task == "one":
        numbers = fit(y, v)
        start = time.process_time()
        for _ in range(repeats):
            fit(y, v)
    else:
        groups = {}
        for yi, vi, gi in zip(y, v, g, strict=True):
            groups.setdefault(gi, ([], []))[0].append(yi)
            groups[gi][1].append(vi)
        take = list(groups.values())[:repeats]
        numbers = fit(*take[0])
        start = time.process_time()
        for a, b in take:
            fit(a, b)
    print(json.dumps({"seconds": (time.process_time() - start) / repeats, "numbers": numbers}))
