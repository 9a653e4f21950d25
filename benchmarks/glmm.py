"""Generalised linear mixed models: ours against R's metafor (with lme4 and BiasedUrn), in one run.

    python benchmarks/glmm.py [--rounds 3] [--only fixed]

CPU time, medians. The task: one model fitted from counts with both tests of heterogeneity, the common-effect model
among them (ours looks for several maxima and integrates until nothing changes; metafor takes its own defaults). The
estimates are compared: they differ by what metafor's approximation costs.
"""

from __future__ import annotations

import argparse
import csv
import json
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

#: Measure, our study levels, metafor's options, and the least ratio.
TASKS: dict[str, tuple[str, str | None, str, int]] = {
    "fixed": ("OR", "fixed", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="UM.FS"', 20),
    "random": ("OR", "random", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="UM.RS", nAGQ=1', 20),
    "conditional": ("OR", "conditional", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="CM.EL"', 20),
    "approximate": ("OR", "conditional-approximate", 'measure="OR", ai=x1, n1i=n1, ci=x2, n2i=n2, model="CM.AL"', 20),
    "rates": ("IRR", "fixed", 'measure="IRR", x1i=x1, t1i=n1, x2i=x2, t2i=n2, model="UM.FS"', 20),
    "proportions": ("PLO", None, 'measure="PLO", xi=x1, ni=n1', 20),
}
LEAST_SECONDS = 0.3

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

    work()
    spent, times = 0.0, 0
    while spent < LEAST_SECONDS:
        start = time.process_time()
        found = work()
        spent += time.process_time() - start
        times += 1
    print(json.dumps({"seconds": spent / times, "numbers": [found.estimate, found.tau2]}))


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
        raise SystemExit("Rscript with metafor is not installed (Debian: apt-get install r-cran-metafor)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studies.csv"
        studies(path, given.studies)
        title = f"one model, {given.studies} studies"
        print(f"{title:<24}{'balm ms':>10}{'metafor ms':>12}{'ratio':>8}{'mark':>6}  estimate and tau2, ours - theirs")
        for name in [given.only] if given.only else TASKS:
            theirs, mark = TASKS[name][2:]
            mine, other, apart = [], [], [0.0, 0.0]
            for _ in range(given.rounds):
                try:
                    peer, _ = run.child([rscript, "-e", R % theirs, str(path)])
                except RuntimeError:
                    print(f"{name:<24} metafor needs lme4 and BiasedUrn (r-cran-lme4, r-cran-biasedurn)")
                    break
                own, _ = run.child([sys.executable, str(HERE / "glmm.py"), "--ours", str(path), name])
                mine.append(own["seconds"])
                other.append(peer["seconds"])
                apart = [a - b for a, b in zip(own["numbers"], peer["numbers"], strict=True)]
            else:
                ratio = statistics.median(o / m for o, m in zip(other, mine, strict=True))
                print(
                    f"{name:<24}{statistics.median(mine) * 1e3:>10.2f}{statistics.median(other) * 1e3:>12.1f}"
                    f"{ratio:>7.0f}x{mark:>5}x  {apart[0]:+.1e} {apart[1]:+.1e} {'ok' if ratio >= mark else 'BELOW'}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
