"""Generalised linear mixed models: ours against R's metafor (with lme4 and BiasedUrn), in one run.

    python benchmarks/glmm.py [--rounds 3] [--only fixed]

CPU time, medians. The task: one model fitted from counts with both tests of heterogeneity, the common-effect model
among them (ours looks for several maxima and integrates until nothing changes; metafor takes its own defaults). The
estimates are compared: they differ by what metafor's approximation costs.
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

#: Measure, our study levels, metafor's options, and the least ratio.
TASKS: dict[str, tuple[str, str | None, str, int]] = {
    "fixed": ("OR", "fixed", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="UM.FS"', 20),
    "random": ("OR", "random", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="UM.RS", nAGQ=1', 20),
    "conditional": ("OR", "conditional", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="CM.EL"', 20),
    "approximate": ("OR", "conditional-approximate", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="CM.AL"', 20),
    "rates": ("IRR", "fixed", 'measure="IRR", x1i=x1, t1i=n1, x2i=x2, t2i=n2, model="UM.FS"', 20),
    "proportions": ("PLO", None, 'measure="PLO", xi=x1, ni=n1', 20),
}

R = """
suppressMessages({library(metafor); library(lme4); library(BiasedUrn)}); a <- commandArgs(TRUE); d <- read.csv(a[1])
t <- proc.time(); f <- suppressWarnings(rma.glmm(%s, data=d)); s <- sum((proc.time()-t)[1:2])
cat(sprintf('{"seconds": %%.9f, "numbers": [%%.12g, %%.12g]}\\n', s, f$beta[1], f$tau2))
"""


def studies(path: Path, k: int) -> None:
    """Trials of 50 to 2,000 people a group with risks around 5 % and effects that vary."""
    draw = random.Random(k)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["x1", "n1", "x2", "n2"])
        for _ in range(k):
            n = [int(50 * 40 ** draw.random()) for _ in range(2)]
            odds = 0.05 * 2.0 ** draw.gauss(0.0, 1.0)
            effect = 2.718281828 ** draw.gauss(-0.4, 0.4)
            risks = [odds * effect / (1 + odds * effect), odds / (1 + odds)]
            x = [sum(draw.random() < p for _ in range(m)) for m, p in zip(n, risks, strict=True)]
            writer.writerow([x[0], n[0], x[1], n[1]])


def ours(path: str, name: str) -> None:
    """One task, warm; prints CPU seconds and the estimates."""
    import numpy as np

    import balm

    x_1, n_1, x_2, n_2 = np.loadtxt(path, delimiter=",", skiprows=1).T
    measure, levels, _, _ = TASKS[name]
    size = "time" if measure == "IRR" else "n"
    columns: dict[str, Any] = {"events_1": x_1, f"{size}_1": n_1, "events_2": x_2, f"{size}_2": n_2}
    if measure == "PLO":
        columns = {"events": x_1, "n": n_1}

    def work() -> Any:
        return balm.glmm(measure, studies=levels, **columns)

    beside_r.warm(work, lambda found: [found.estimate, found.tau2])


def main() -> None:
    """One line a task."""
    if sys.argv[1:2] == ["--ours"]:
        ours(*sys.argv[2:4])
        return
    given = beside_r.given(__doc__, TASKS, 20)
    rscript = beside_r.rscript()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studies.csv"
        studies(path, given.studies)
        beside_r.head(given.studies, "estimate and tau2")
        for name in [given.only] if given.only else TASKS:
            theirs, mark = TASKS[name][2:]
            peer = [rscript, "-e", R % theirs, str(path)]
            beside_r.row(
                name,
                given.rounds,
                peer,
                [str(HERE / "glmm.py"), "--ours", str(path), name],
                mark,
                "lme4 and BiasedUrn (r-cran-lme4, r-cran-biasedurn)",
            )


if __name__ == "__main__":
    main()
