"""Selection models: ours against R's metafor, in one run.

    python benchmarks/selection.py [--rounds 3] [--only step]

CPU time, medians. The task: one model fitted from effects and variances, with standard errors and both likelihood-ratio
tests (ours climbs from several starts and searches all maxima; metafor's from one). Log-likelihoods are compared.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import beside_r  # noqa: E402

#: Our weight function and options, metafor's type, and the least ratio.
TASKS: dict[str, tuple[str, dict[str, Any], str, int]] = {
    "step": ("step", {}, "type='stepfun', steps=.025", 20),
    "steps": ("step", {"steps": [0.025, 0.1, 0.5]}, "type='stepfun', steps=c(.025,.1,.5)", 20),
    "half-normal": ("half-normal", {}, "type='halfnorm'", 20),
    "negative-exponential": ("negative-exponential", {}, "type='negexp'", 20),
    "logistic": ("logistic", {}, "type='logistic'", 20),
    "power": ("power", {}, "type='power'", 20),
    "beta": ("beta", {}, "type='beta'", 20),
    "exponential-power": ("exponential-power", {}, "type='negexppow'", 20),
}

R = """
suppressMessages(library(metafor)); a <- commandArgs(TRUE); d <- read.csv(a[1])
r <- rma(y, v, data=d, method="ML", control=list(threshold=1e-14))
t <- proc.time(); f <- suppressWarnings(selmodel(r, %s)); s <- sum((proc.time()-t)[1:2])
cat(sprintf('{"seconds": %%.9f, "numbers": [%%.12g]}\\n', s, as.numeric(logLik(f))))
"""


def studies(path: Path, k: int) -> None:
    """Effects of which the insignificant ones were seen half the time."""
    draw = random.Random(k)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["y", "v"])
        count = 0
        while count < k:
            se = draw.uniform(0.1, 0.5)
            y = draw.gauss(0.2, (se * se + 0.04) ** 0.5)
            if y > 1.96 * se or draw.random() < 0.5:
                writer.writerow([repr(y), repr(se * se)])
                count += 1


def ours(path: str, name: str) -> None:
    """One task, warm; prints CPU seconds and the log-likelihood."""
    import numpy as np

    import balm

    table = np.loadtxt(path, delimiter=",", skiprows=1)
    es = balm.EffectSizes(effect=table[:, 0], variance=table[:, 1])
    weight, options, _, _ = TASKS[name]

    def work() -> Any:
        found = balm.selection_model(es, weight, **options)
        return found, found.heterogeneity_test

    beside_r.warm(work, lambda found: [found[0].log_likelihood])


def main() -> None:
    """One line a task."""
    if sys.argv[1:2] == ["--ours"]:
        ours(*sys.argv[2:4])
        return
    given = beside_r.given(__doc__, TASKS, 40)
    rscript = beside_r.rscript()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studies.csv"
        studies(path, given.studies)
        beside_r.head(given.studies, "log-likelihood")
        for name in [given.only] if given.only else TASKS:
            theirs, mark = TASKS[name][2:]
            peer = [rscript, "-e", R % theirs, str(path)]
            beside_r.row(name, given.rounds, peer, [str(HERE / "selection.py"), "--ours", str(path), name], mark)


if __name__ == "__main__":
    main()
