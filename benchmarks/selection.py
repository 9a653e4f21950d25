"""Selection models: ours against R's metafor, in one run.

    python benchmarks/selection.py [--rounds 3] [--only step]

CPU time, medians. The task: one model fitted from effects and variances, with standard errors and both likelihood-ratio
tests (ours climbs from several starts and searches all maxima; metafor's from one). Log-likelihoods are compared.
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

#: Our weight function and options, metafor's type, and the least ratio.
TASKS: dict[str, tuple[str, dict[str, Any], str, int]] = {
    "step": ("step", {}, "type='stepfun', steps=.025", 20),
    "steps": ("step", {"steps": [0.025, 0.1, 0.5]}, "type='stepfun', steps=c(.025,.1,.5)", 20),
    "half-normal": ("half-normal", {}, "type='halfnorm'", 20),
    "negative-exponential": ("negative-exponential", {}, "type='negexp'", 20),
    "logistic": ("logistic", {}, "type='logistic'", 20),
    "power": ("power", {}, "type='power'", 20),
    "beta": ("beta", {}, "type='beta'", 20),
}
LEAST_SECONDS = 0.3

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

    work()
    spent, times = 0.0, 0
    while spent < LEAST_SECONDS:
        start = time.process_time()
        found, _ = work()
        spent += time.process_time() - start
        times += 1
    print(json.dumps({"seconds": spent / times, "numbers": [found.log_likelihood]}))


def main() -> None:
    """One line a task."""
    if sys.argv[1:2] == ["--ours"]:
        ours(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=list(TASKS), help="one task")
    given = parser.parse_args()
    rounds = given.rounds
    rscript = run.metafor()
    if rscript is None:
        raise SystemExit("Rscript with metafor is not installed (Debian: apt-get install r-cran-metafor)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studies.csv"
        studies(path, 40)
        print(
            f"{'one model, 40 studies':<24}{'balm ms':>10}{'metafor ms':>12}{'ratio':>8}{'mark':>6}  log-likelihood, ours - theirs"
        )
        for name in [given.only] if given.only else TASKS:
            theirs, mark = TASKS[name][2:]
            mine, other, gain = [], [], 0.0
            for _ in range(rounds):
                peer, _ = run.child([rscript, "-e", R % theirs, str(path)])
                own, _ = run.child([sys.executable, str(HERE / "selection.py"), "--ours", str(path), name])
                mine.append(own["seconds"])
                other.append(peer["seconds"])
                gain = own["numbers"][0] - peer["numbers"][0]
            ratio = statistics.median(o / m for o, m in zip(other, mine, strict=True))
            print(
                f"{name:<24}{statistics.median(mine) * 1e3:>10.2f}{statistics.median(other) * 1e3:>12.1f}"
                f"{ratio:>7.0f}x{mark:>5}x  {gain:+.1e} {'ok' if ratio >= mark else 'BELOW'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
