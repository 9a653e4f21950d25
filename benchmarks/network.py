"""Networks of 100 and 1,000 treatments: the Laplacian engine against its dense pairs-by-pairs twin, in one run.

    python benchmarks/network.py [--repeats 21] [--without-twin] [--without-peer]

CPU time on one thread, medians. The task: labels read and checked, both models with tau2 by moments, Q, and all
contrasts with their standard errors and P-scores. The twin (tests/naive_network.py) starts from numbers and makes the
effects alone, which favours it. pimeta's netmeta, which forms every pair of arms as a row, takes the same labels in the
peers' environment (`.venv-bench`), in turn with ours. Its ranking is a call of its own, so ours goes without P-scores
there: effects and standard errors of both models. Ratio in the middle and lowest, and how far tau2 and Q are apart.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy is loaded: waiting threads would count as work

import numpy as np  # noqa: E402

#: CPU seconds that our warm loop lasts in each round beside the peer.
LEAST_SECONDS = 0.5
CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))


def data(n: int, k: int, seed: int = 1) -> dict[str, Any]:
    """``k`` studies, a fifth of three arms, around a ring that reaches every treatment."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    rows = []
    for s in range(k):
        p = 3 if s % 5 == 0 else 2
        arms = [s % n, (s + 1) % n] if p == 2 else [s % n, (s + 1) % n, (s + 7) % n]
        if s >= n:
            arms = rng.choice(n, p, replace=False).tolist()
        v = rng.uniform(0.02, 0.3, p)
        y = truth[arms] + rng.normal(0.0, np.sqrt(v + 0.05))
        rows += [(s, arms[i], arms[j], y[i] - y[j], v[i] + v[j]) for i in range(p) for j in range(i + 1, p)]
    study, first, second, effect, variance = (np.array(column) for column in zip(*rows, strict=True))
    return {"study": study, "first": first, "second": second, "effect": effect, "variance": variance}


def spent(task: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        found.append(time.process_time() - start)
    return median(found)


def both_models(named: dict[str, Any], tau2: str) -> tuple[Any, ...]:
    """The network, with effects and standard errors of all contrasts under both models."""
    import balm

    fit = balm.network(**named, tau2=tau2)
    return fit, fit.effect, fit.se, fit.common.effect, np.sqrt(fit.common.variance)


def beside_pimeta(named: dict[str, Any]) -> str:
    """The peer's time as a ratio, both in turn, and how far its tau2 and Q are from ours."""
    import run

    ours = partial(both_models, named, "DL")
    fit = ours()[0]
    try:
        python = run.peers_python() or ""
    except subprocess.CalledProcessError:
        return "; the peers' environment (.venv-bench) could not be made"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.csv"
        with path.open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["study", "treatment_1", "treatment_2", "effect", "se"])
            columns = [named[name] for name in ("study", "treatment_1", "treatment_2")]
            writer.writerows(zip(*columns, named["effect"].tolist(), np.sqrt(named["variance"]).tolist(), strict=True))
        ratios, theirs = [], []
        for _ in range(run.ROUNDS):
            found, _ = run.child([python, str(CHECKOUT / "benchmarks" / "peers" / "pimeta_network.py"), str(path)])
            theirs.append(found["seconds"])
            ratios.append(found["seconds"] / run.seconds_a_call(ours, LEAST_SECONDS)[0])
    apart = run.agreement([fit.tau2.value, fit.q.q], found["numbers"])
    line = f"; pimeta {1e3 * median(theirs):8.0f} ms, {median(ratios):,.0f}x (lowest {min(ratios):,.0f}x)"
    return f"{line}, apart by {apart:.0e}"


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--without-twin", action="store_true")
    parser.add_argument("--without-peer", action="store_true")
    given = parser.parse_args()
    from tests import naive_network

    for n, k in ((10, 50), (100, 1000), (1000, 12000)):
        d = data(n, k)
        named = {"study": [f"s{x}" for x in d["study"]], "treatment_1": [f"t{x}" for x in d["first"]]}
        named |= {"treatment_2": [f"t{x}" for x in d["second"]], "effect": d["effect"], "variance": d["variance"]}

        def ours(tau2: str, named: dict[str, Any] = named) -> Any:
            found = both_models(named, tau2)
            return *found, found[0].p_scores

        ours("REML")  # what is imported once is not counted
        moments, likelihood = (
            spent(lambda: ours("DL"), given.repeats),
            spent(lambda: ours("REML"), given.repeats if n <= 100 else 1),
        )
        line = f"{n:>5} treatments, {k:>6} studies: DL {1e3 * moments:8.2f} ms, REML {1e3 * likelihood:8.1f} ms"
        if n <= 100 and not given.without_twin:
            twin = spent(partial(naive_network.fit, **d, n=n), 1)
            line += f"; dense twin {1e3 * twin:8.0f} ms, {twin / moments:,.0f}x"
        if n <= 100 and not given.without_peer:
            line += beside_pimeta(named)
        print(line, flush=True)


if __name__ == "__main__":
    main()
