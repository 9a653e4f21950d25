"""PyMARE's fastest way: equally large meta-analyses as the columns of one matrix. Prints one JSON line."""

import csv
import json
import sys
import time
import warnings

import numpy as np
from pymare import Dataset
from pymare.estimators import VarianceBasedLikelihoodEstimator

warnings.simplefilter("ignore")
task, path, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(path, newline="") as handle:
    rows = [(float(r["y"]), float(r["v"])) for r in csv.DictReader(handle)]
table = np.array(rows).reshape(-1, 10, 2)[:repeats]
y, v = table[:, :, 0].T.copy(), table[:, :, 1].T.copy()


def fitted(y, v):
    """One fit of all columns; its intervals of tau2 need the data set beside it."""
    return VarianceBasedLikelihoodEstimator(method="REML").fit_dataset(Dataset(y, v)).summary()


fitted(y[:, :5], v[:, :5])
start = time.process_time()
summary = fitted(y, v)
if task == "interval":
    summary.get_re_stats()
seconds = (time.process_time() - start) / y.shape[1]
print(json.dumps({"seconds": seconds, "numbers": np.ravel(summary.tau2)[:200].tolist()}))
