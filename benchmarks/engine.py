"""The engine against its peers: heavy uses, with the compiled kernel and without, each beside the mark it must hold.

`python benchmarks/engine.py` runs every row, `python benchmarks/engine.py gosh permutation` some. Peers and ours are
child processes in turn, CPU time an item, medians over the rounds; peers work on a sample where they are a loop (which
is linear), and once where one call takes half a minute. The harness is that of `run.py`.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import run  # noqa: E402

#: Least CPU time ours is repeated for, so that the clock's grain does not count.
LEAST_SECONDS = 0.25


@dataclass(frozen=True)
class Row:
    """One comparison. ``peer``: program, task and how much of it; marks are the least ratios without and with C."""

    name: str
    title: str
    task: str
    data: str
    items: int
    peer: tuple[str, str, str, int]
    plain: float
    compiled: float
    rounds: int = 3


ROWS = (
    Row("leave-one-out", "leave-one-out of 10,000 analyses, a refit", "leave-one-out", "ragged3", 0,
        ("metafor", "leave-one-out", "ragged3-few", 25), 700, 8000),
    Row("gosh", "GOSH, REML, all of 2^13, a subset", "gosh", "k13", 8191, ("metafor", "gosh", "k13", 120), 800, 15000),
    Row("gosh-common", "GOSH, common effect, all of 2^13, a subset", "gosh-common", "k13", 8191,
        ("metafor", "gosh-common", "k13", 3000), 1200, 1200),
    Row("permutation", "exact permutation test of a regression, k = 7, a refit", "permutation", "k7", 5040,
        ("metafor", "permutation", "k7", 120), 2000, 15000),
    Row("bootstrap", "bootstrap of tau2, 10,000 at k = 25, a draw", "bootstrap", "k25", 10_000,
        ("metafor", "bootstrap", "k25", 120), 400, 4000),
    Row("coverage", "coverage, 1,000,000 at k = 10, an analysis", "coverage", "k10", 1_000_000,
        ("metafor", "coverage", "k10", 120), 600, 3000),
    Row("many-10000", "10,000 ragged full analyses, each", "many", "ragged-10000", 10_000,
        ("metafor", "many", "ragged-few", 60), 1000, 6000),
    Row("many-100000", "100,000 ragged full analyses, each", "many", "ragged-100000", 100_000,
        ("metafor", "many", "ragged-few", 60), 1000, 6000),
    Row("equal", "10,000 REML fits of k = 10, v PyMARE's matrix, each", "equal", "equal", 10_000,
        ("pymare", "fit", "equal", 10_000), 2, 10),
    Row("equal-interval", "the same with intervals of tau2, each", "equal-interval", "equal", 10_000,
        ("pymare", "interval", "equal", 1000), 100, 600),
    Row("large", "one analysis of k = 1,000", "large", "k1000", 1, ("metafor", "large", "k1000", 1), 1500, 1500),
    Row("regression", "regression, k = 2,000, p = 3", "regression", "k2000", 1,
        ("metafor", "regression", "k2000", 1), 15000, 15000, 1),
    Row("multilevel-dense", "three levels, 1,000 effects, v dense rma.mv", "multilevel", "nested-1000", 1,
        ("metafor", "multilevel-dense", "nested-1000", 1), 8000, 8000, 1),
    Row("multilevel-sparse", "three levels, 1,000 effects, v sparse rma.mv", "multilevel", "nested-1000", 1,
        ("metafor", "multilevel-sparse", "nested-1000", 1), 150, 150, 1),
    Row("multilevel-large", "three levels, 5,000 effects, v sparse rma.mv", "multilevel", "nested-5000", 1,
        ("metafor", "multilevel-sparse", "nested-5000", 1), 2000, 2000, 1),
)  # fmt: skip


def sizes(count: int, least: int) -> list[int]:
    """As in the Cochrane library: median 4, a long tail."""
    rng = random.Random(9)
    return [max(least, min(60, round(math.exp(rng.gauss(1.4, 0.85))))) for _ in range(count)]


def nested(path: Path, studies: int, each: int, seed: int) -> None:
    """Effects within studies, with variation on both levels."""
    rng = random.Random(seed)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["g", "y", "v"])
        for g in range(studies):
            shift = rng.gauss(0.2, 0.4)
            for _ in range(each):
                v = math.exp(rng.gauss(-2.0, 0.9))
                writer.writerow([g, repr(rng.gauss(shift, math.sqrt(v + 0.05))), repr(v)])


def make(name: str, folder: Path) -> Path:
    """The data set of this name, written on first use."""
    path = folder / f"{name}.csv"
    if path.exists():
        return path
    kind, _, number = name.partition("-")
    if kind == "nested":
        nested(path, int(number) // 4, 4, seed=6)
    elif kind in ("ragged", "ragged3"):  # the first few are the same in every length
        run.simulated(path, sizes(400 if number == "few" else int(number or 10_000), 3 if kind == "ragged3" else 2), 11)
    elif kind == "equal":
        run.simulated(path, [10] * 10_000, seed=12)
    else:
        run.simulated(path, [int(kind[1:])], seed=int(kind[1:]))
    return path


def of_replicates(v: Any) -> list[float]:
    """tau2 of twenty made replicates, by the way that draws go too."""
    import numpy as np

    from balm.stats.simulation.fits import tau2_of

    j, i = np.arange(1.0, 21.0), np.arange(1.0, len(v) + 1.0)[:, None]
    return tau2_of(0.2 + np.sqrt(2.0 * (v[:, None] + 0.1)) * np.sin(i * j), v[:, None], "REML").tolist()


def ours(task: str, path: str, items: int) -> None:
    """One of our tasks, warm; prints CPU seconds an item and the numbers that the peer prints too."""
    import numpy as np

    import balm

    table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    g, y, v = table[:, 0].astype(np.int64), table[:, 1].copy(), table[:, 2].copy()
    tail: Callable[[Any], list[float]]
    if task == "leave-one-out":
        from balm.stats.pooling.leave_one_out_many import leave_one_out_many

        work = lambda: leave_one_out_many(y, v, g, tau2="REML", inference="wald")  # noqa: E731
        tail = lambda found: found.tau2[g == 0].tolist()  # noqa: E731
        items = len(y)
    elif task in ("gosh", "gosh-common"):
        es = balm.EffectSizes(effect=y, variance=v)
        fit = balm.pool(es, model="common") if task == "gosh-common" else balm.pool(es, tau2="REML", inference="wald")
        work = lambda: balm.gosh(fit, "all")  # noqa: E731
        tail = lambda found: [float(found.estimate[-1])]  # noqa: E731
    elif task == "permutation":
        regression = balm.meta_regression(
            balm.EffectSizes(effect=y, variance=v), np.arange(1.0, len(y) + 1.0), inference="wald"
        )
        work = lambda: balm.permutation_test(regression)  # noqa: E731
        tail = lambda found: regression.beta.tolist()  # noqa: E731
    elif task == "bootstrap":
        fit = balm.pool(balm.EffectSizes(effect=y, variance=v), tau2="REML")
        work = lambda: balm.bootstrap_tau2(fit, replicates=items, seed=1)  # noqa: E731
        tail = lambda found: of_replicates(v)  # noqa: E731
    elif task == "coverage":
        work = lambda: balm.simulate_coverage(  # noqa: E731
            v, mean=0.2, tau2=0.1, inference="hartung-knapp", analyses=items, seed=1
        )
        tail = lambda found: of_replicates(v)  # noqa: E731
    elif task in ("many", "equal", "equal-interval"):
        options = {
            "many": {"inference": "hartung-knapp", "tau2_interval": "q-profile"},
            "equal": {"inference": "wald"},
            "equal-interval": {"inference": "wald", "tau2_interval": "q-profile"},
        }[task]
        work = lambda: balm.pool_many(y, v, g, tau2="REML", **options)  # noqa: E731
        if task == "many":
            tail = lambda found: np.column_stack([found.estimate, found.se, found.tau2])[:60].ravel().tolist()  # noqa: E731
        else:
            tail = lambda found: found.tau2[:200].tolist()  # noqa: E731
    elif task == "large":
        es = balm.EffectSizes(effect=y, variance=v)
        work = lambda: balm.pool(es, tau2="REML", inference="wald")  # noqa: E731
        tail = lambda found: [found.tau2]  # noqa: E731
    elif task == "regression":
        es, i = balm.EffectSizes(effect=y, variance=v), np.arange(1.0, len(y) + 1.0)
        moderators = np.column_stack([np.sin(i), np.cos(2.0 * i)])
        work = lambda: balm.meta_regression(es, moderators, inference="wald")  # noqa: E731
        tail = lambda found: found.beta.tolist()  # noqa: E731
    else:
        from balm.stats.multilevel.multilevel import multilevel

        es = balm.EffectSizes(effect=y, variance=v, study=[str(i) for i in g])
        work = lambda: multilevel(es, random="study/effect")  # noqa: E731
        tail = lambda found: [*np.ravel(found.beta).tolist(), found.log_likelihood]  # noqa: E731
    if items < 1_000_000:  # once to warm up
        work()
    seconds, found = run.seconds_a_call(work, LEAST_SECONDS)
    print(json.dumps({"seconds": seconds / items, "numbers": tail(found)}))


def compare(row: Row, folder: Path, peers: dict[str, Callable[..., list[str]]]) -> None:
    """Peer, ours, and ours without the kernel, in turn; one printed line."""
    program, task, data, amount = row.peer
    if program not in peers:
        return
    theirs = peers[program](task, make(data, folder), amount)
    mine = [sys.executable, str(HERE / "engine.py"), "--ours", row.task, str(make(row.data, folder)), str(row.items)]
    times: dict[str, list[float]] = {"peer": [], "with": [], "without": []}
    worst = 0.0
    for _ in range(row.rounds):
        answer, _ = run.child(theirs)
        times["peer"].append(answer["seconds"])
        for name, switch in (("with", "on"), ("without", "off")):
            run.ENVIRONMENT["BALM_KERNEL"] = switch
            found, _ = run.child(mine)
            times[name].append(found["seconds"])
            if found["numbers"] and answer["numbers"]:
                worst = max(worst, run.agreement(found["numbers"], answer["numbers"]))
    middle = {name: statistics.median(values) for name, values in times.items()}
    ratios = {name: [p / a for p, a in zip(times["peer"], times[name], strict=True)] for name in ("with", "without")}
    line = (
        f"{row.title:<58} {middle['peer'] * 1e3:>11.4f} {middle['with'] * 1e6:>10.2f} {middle['without'] * 1e6:>10.2f}"
    )
    for name, mark in (("with", row.compiled), ("without", row.plain)):
        ratio = statistics.median(ratios[name])
        line += f" {ratio:>8,.0f}x {min(ratios[name]):>8,.0f}x {mark:>7,.0f}x {'ok' if ratio >= mark else 'BELOW':>5}"
    print(f"{line} {worst:>9.1e}" if worst else line, flush=True)


def main() -> None:
    only = set(sys.argv[1:])
    unknown = only - {row.name for row in ROWS}
    if unknown:
        raise SystemExit(f"no row {sorted(unknown)}; there are {[row.name for row in ROWS]}")
    wanted = [row for row in ROWS if not only or row.name in only]
    peers: dict[str, Callable[..., list[str]]] = {}
    rscript = run.metafor()
    if rscript:
        peers["metafor"] = lambda task, data, n: [
            rscript, str(HERE / "peers" / "metafor.R"), task, str(data), str(n), "-"
        ]  # fmt: skip
    else:
        print("Rscript with metafor is not installed: its rows are left out (Debian: apt-get install r-cran-metafor)")
    if any(row.peer[0] == "pymare" for row in wanted):
        try:
            python = run.peers_python() or ""
            peers["pymare"] = lambda task, data, n: [
                python, str(HERE / "peers" / "pymare_matrix.py"), task, str(data), str(n)
            ]  # fmt: skip
        except subprocess.CalledProcessError:
            print("PyMARE's environment (.venv-bench) could not be made: its rows are left out")
    print(
        f"{'task (CPU time)':<58} {'peer ms':>11} {'balm us':>10} {'NumPy us':>10} "
        f"{'with C':>9} {'lowest':>9} {'mark':>8} {'':>5} {'without':>9} {'lowest':>9} {'mark':>8} {'':>5} "
        f"{'differ':>9}"
    )
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        for row in wanted:
            try:
                compare(row, Path(name), peers)
            except RuntimeError as error:  # a peer that cannot do it leaves its row out, not the rows after it
                print(f"{row.title}: not measured, {error}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
