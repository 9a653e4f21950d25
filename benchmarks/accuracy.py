"""Diagnostic accuracy: ours against R's lme4 (counts) and metafor (logits), in one run.

    python benchmarks/accuracy.py [--rounds 3] [--studies 20] [--only normal]

CPU time, medians. The task: one bivariate model of sensitivity and specificity. Ours adds the quadrature that goes on
until nothing changes ("binomial"; R stays with Laplace's approximation, which "laplace" compares like for like), several
starts, each study's intervals and the HSROC parameters. Estimates are the two logits.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import run  # noqa: E402

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
LEAST_SECONDS = 0.3

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

    work()
    spent, times = 0.0, 0
    while spent < LEAST_SECONDS:
        start = time.process_time()
        found = work()
        spent += time.process_time() - start
        times += 1
    logits = [math.log(p.estimate / (1 - p.estimate)) for p in (found.sensitivity, found.specificity)]
    print(json.dumps({"seconds": spent / times, "numbers": logits}))


def main() -> None:
    """One line a task."""
    if sys.argv[1:2] == ["--ours"]:
        ours(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--only", choices=list(TASKS), help="one task")
    given = parser.parse_args()
    rscript = run.metafor()
    if rscript is None:
        raise SystemExit("Rscript with metafor is not installed (Debian: apt-get install r-cran-metafor r-cran-lme4)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studies.csv"
        studies(path, given.studies)
        title = f"one model, {given.studies} studies"
        print(f"{title:<24}{'balm ms':>10}{'R ms':>12}{'ratio':>8}  logits, ours - theirs")
        for name in [given.only] if given.only else TASKS:
            _, theirs = TASKS[name]
            mine, other, apart = [], [], [0.0, 0.0]
            for _ in range(given.rounds):
                try:
                    peer, _ = run.child([rscript, "-e", R % theirs, str(path)])
                except RuntimeError:
                    print(f"{name:<24} R needs lme4 (r-cran-lme4)")
                    break
                own, _ = run.child([sys.executable, str(HERE / "accuracy.py"), "--ours", str(path), name])
                mine.append(own["seconds"])
                other.append(peer["seconds"])
                apart = [a - b for a, b in zip(own["numbers"], peer["numbers"], strict=True)]
            else:
                ratio = statistics.median(o / m for o, m in zip(other, mine, strict=True))
                print(
                    f"{name:<24}{statistics.median(mine) * 1e3:>10.2f}{statistics.median(other) * 1e3:>12.1f}"
                    f"{ratio:>7.1f}x  {apart[0]:+.1e} {apart[1]:+.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
