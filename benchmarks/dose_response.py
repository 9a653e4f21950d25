"""Dose-response: ours against R's metafor on the same log ratios and covariances, in one run.

    python benchmarks/dose_response.py [--rounds 3] [--studies 20] [--only quadratic]

CPU time, medians. The task: one pooled trend by REML, its coefficients random between studies. Ours begins with the
counts and works out the covariances of ratios that share a reference (Greenland and Longnecker); R is handed them and
fits the same model in one stage (``rma.mv``, struct="GEN"). Estimates are the first and the last coefficient.
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

#: Our options, the columns of the trend, and the least ratio.
TASKS: dict[str, tuple[dict[str, Any], int]] = {
    "linear": ({"trend": "linear"}, 20),
    "linear, two stages": ({"trend": "linear", "stages": 2}, 20),
    "quadratic": ({"trend": "quadratic"}, 20),
    "spline": ({"trend": "spline", "knots": (0.5, 2.0, 5.0)}, 20),
}
DOSES = (0.0, 1.0, 2.5, 5.0)

R = """
suppressMessages(library(metafor)); a <- commandArgs(TRUE); d <- read.csv(a[1]); p <- as.integer(a[2])
x <- paste0("x", 1:p); V <- bldiag(lapply(split(d, d$study), function(s) as.matrix(s[, paste0("v", 1:3)])))
x <- paste("~ 0 +", paste(x, collapse=" + ")); f <- as.formula(x); r <- as.formula(paste(x, "| study"))
t <- proc.time()
m <- suppressWarnings(rma.mv(y, V, mods=f, random=r, struct="GEN", data=d))
s <- sum((proc.time()-t)[1:2]); b <- m$beta[,1]
cat(sprintf('{"seconds": %.9f, "numbers": [%.12g, %.12g]}\\n', s, b[1], b[p]))
"""


def studies(path: Path, k: int) -> None:
    """Cohorts at four doses with trends that vary."""
    draw = random.Random(k)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["study", "dose", "cases", "n", "log_ratio", "se"])
        for i in range(k):
            slope, bend = draw.gauss(0.08, 0.03), draw.gauss(-0.006, 0.003)
            people = [int(2000 * 8 ** draw.random()) for _ in DOSES]
            risk = 0.03 * 2.0 ** draw.gauss(0.0, 0.5)
            cases = [
                max(1, sum(draw.random() < risk * math.exp(slope * d + bend * d * d) for _ in range(n)))
                for d, n in zip(DOSES, people, strict=True)
            ]
            for d, c, n in zip(DOSES, cases, people, strict=True):
                ratio = math.log(c / n / (cases[0] / people[0])) if d else 0.0
                se = math.sqrt(1 / c - 1 / n + 1 / cases[0] - 1 / people[0]) if d else 0.0
                writer.writerow([i, d, c, n, repr(ratio), repr(se)])


def fitted(path: str, name: str) -> tuple[Any, Any]:
    """What fits one task, ready to be timed, and its result."""
    import numpy as np

    import balm

    study, dose, cases, n, log_ratio, se = np.loadtxt(path, delimiter=",", skiprows=1).T
    options = {"stages": 1} | TASKS[name][0]

    def work() -> Any:
        return balm.dose_response(study=study.astype(int), dose=dose, cases=cases, n=n, log_ratio=log_ratio, se=se,
                                  design="cumulative-incidence", **options)  # fmt: skip

    return work, work()


def ours(path: str, name: str) -> None:
    """One task, warm; prints CPU seconds and the estimates."""
    work, _ = fitted(path, name)
    beside_r.warm(work, lambda found: [float(found.coefficients[0]), float(found.coefficients[-1])])


def for_metafor(path: str, name: str, out: Path) -> int:
    """The rows that R is handed: log ratios, the trend's columns and each study's covariances; the columns' number."""
    _, found = fitted(path, name)
    with out.open("w", newline="") as handle:
        writer = csv.writer(handle)
        count = len(found.names)
        writer.writerow(["study", "y", *(f"x{j + 1}" for j in range(count)), "v1", "v2", "v3"])
        for i, s in enumerate(found.studies):
            columns = found.trend.columns(s.dose)
            for y, x, v in zip(s.log_ratio, columns[1:] - columns[0], s.variance, strict=True):
                writer.writerow([f"{i:04d}", *(repr(float(z)) for z in (y, *x, *v))])
    return count


def main() -> None:
    """One line a task."""
    if sys.argv[1:2] == ["--ours"]:
        ours(*sys.argv[2:4])
        return
    given = beside_r.given(__doc__, TASKS, 20)
    rscript = beside_r.rscript()
    with tempfile.TemporaryDirectory() as folder:
        path, handed = Path(folder) / "studies.csv", Path(folder) / "handed.csv"
        studies(path, given.studies)
        beside_r.head(given.studies, "coefficients")
        for name in [given.only] if given.only else TASKS:
            count = for_metafor(str(path), name, handed)
            peer = [rscript, "-e", R, str(handed), str(count)]
            beside_r.row(
                name, given.rounds, peer, [str(HERE / "dose_response.py"), "--ours", str(path), name], TASKS[name][1]
            )


if __name__ == "__main__":
    main()
