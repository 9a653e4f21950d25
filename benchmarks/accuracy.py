"""Diagnostic accuracy: ours against R's lme4 (counts) and metafor (logits), in one run.

    python benchmarks/accuracy.py [--rounds 3] [--studies 20] [--only normal]

CPU time, medians. The task: one bivariate model of sensitivity and specificity. Ours adds the quadrature that goes on
until nothing changes ("binomial"; R stays with Laplace's approximation, which "laplace" compares like for like), several
starts, each study's intervals and the HSROC parameters. Estimates are the two logits.
"""

from __future__ import annotations

import csv
import math
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import beside_r  # noqa: E402

GLMER = (
    "m <- glmer(cbind(x, n - x) ~ 0 + se + sp + (0 + se + sp | study), data=long, family=binomial); "
    "b <- fixef(m); s <- vcov(m)"
)
RMA = (
    "long$y <- with(long, log((x + 0.5 * z) / (n - x + 0.5 * z))); "
    "long$v <- with(long, 1 / (x + 0.5 * z) + 1 / (n - x + 0.5 * z)); "
    'm <- rma.mv(y, v, mods = ~ 0 + type, random = ~ type | study, struct="UN", data=long); b <- m$beta[,1]'
)
#: Our options, and R's model.
TASKS: dict[str, tuple[dict[str, Any], str]] = {
    "binomial": ({}, GLMER),
    "laplace": ({"points": 1}, GLMER),
    "normal": ({"model": "normal"}, RMA),
}

R = """
suppressMessages({library(lme4); library(metafor)}); a <- commandArgs(TRUE); d <- read.csv(a[1]); k <- nrow(d)
zero <- with(d, as.numeric(tp == 0 | fn == 0 | fp == 0 | tn == 0))
long <- data.frame(study=factor(rep(1:k, 2)), x=c(d$tp, d$tn), n=c(d$tp + d$fn, d$tn + d$fp), z=rep(zero, 2),
                   se=rep(1:0, each=k), sp=rep(0:1, each=k), type=factor(rep(c("a", "b"), each=k)))
t <- proc.time(); suppressWarnings({%s}); s <- sum((proc.time()-t)[1:2])
cat(sprintf('{"seconds": %%.9f, "numbers": [%%.12g, %%.12g]}\\n', s, b[1], b[2]))
"""


def studies(path: Path, k: int) -> None:
    """Studies of 20 to 300 people a group, a test that is right in about 85 of 100."""
    draw = random.Random(k)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["tp", "fn", "fp", "tn"])
        for _ in range(k):
            shift = draw.gauss(0.0, 0.6)
            right = [1 / (1 + math.exp(-(1.7 + sign * shift + draw.gauss(0.0, 0.4)))) for sign in (1, -1)]
            n = [int(20 * 15 ** draw.random()) for _ in range(2)]
            tp, tn = (sum(draw.random() < p for _ in range(m)) for p, m in zip(right, n, strict=True))
            writer.writerow([tp, n[0] - tp, n[1] - tn, tn])


def ours(path: str, name: str) -> None:
    """One task, warm; prints CPU seconds and the estimates."""
    import numpy as np

    import balm

    tp, fn, fp, tn = np.loadtxt(path, delimiter=",", skiprows=1).T

    def work() -> Any:
        return balm.accuracy(tp=tp, fn=fn, fp=fp, tn=tn, **TASKS[name][0])

    beside_r.warm(
        work, lambda found: [math.log(p.estimate / (1 - p.estimate)) for p in (found.sensitivity, found.specificity)]
    )


def main() -> None:
    """One line a task."""
    if sys.argv[1:2] == ["--ours"]:
        ours(*sys.argv[2:4])
        return
    given = beside_r.given(__doc__, TASKS, 20)
    rscript = beside_r.rscript("r-cran-metafor r-cran-lme4")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studies.csv"
        studies(path, given.studies)
        beside_r.head(given.studies, "logits")
        for name in [given.only] if given.only else TASKS:
            peer = [rscript, "-e", R % TASKS[name][1], str(path)]
            beside_r.row(
                name,
                given.rounds,
                peer,
                [str(HERE / "accuracy.py"), "--ours", str(path), name],
                None,
                "lme4 (r-cran-lme4)",
            )


if __name__ == "__main__":
    main()
