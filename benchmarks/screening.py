"""Screening order against ASReview: the same sets, priors and order of work in one run, one thread, CPU seconds.

    python benchmarks/screening.py [--seeds 1] [--sets ADHD ace ...]

The labelled sets are read from ``../shared/samples/screening`` (or ``BALM_SHARED``). ASReview lives in
``.venv-bench-screening``, made from ``benchmarks/requirements-screening.lock``. Priors are drawn here by seed, one
included and one excluded, and given to both. Both build their features and train after every label until the last
included record is found; ours is also timed learning after every 2 % of the labels. Measures leave out the priors.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
VENV = CHECKOUT / ".venv-bench-screening"
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

READ = """
import csv, gzip, json, sys, time
path, label, included, excluded, seed, schedule = sys.argv[1:]
included, excluded, seed = int(included), int(excluded), int(seed)
csv.field_size_limit(10**9)
with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as f:
    rows = list(csv.DictReader(f))
labels = [int(r[label]) for r in rows]
"""
OURS = """
from balm.review.screening.simulation import simulate_screening
import scipy.sparse
began = time.process_time()
texts = [r["title"] + " " + r["abstract"] for r in rows]
done = simulate_screening(texts, labels, prior_included=included, prior_excluded=excluded, schedule=schedule)
print(json.dumps({"cpu": time.process_time() - began, "order": done.order[: done.read].tolist()}))
"""
PEER = """
import numpy as np, pandas as pd
from asreview.learner import ActiveLearningCycle
from asreview.models.models import get_ai_config
from asreview.simulation.simulate import Simulate
import sklearn.svm
cycle = ActiveLearningCycle.from_meta(get_ai_config("elas_u4")["value"])
np.random.seed(seed)
began = time.process_time()
data = pd.DataFrame({"title": [r["title"] for r in rows], "abstract": [r["abstract"] for r in rows]})
done = Simulate(data, labels, cycles=[cycle], print_progress=False)
done.label([included, excluded])
done.review()
order = done._results["record_id"].tolist()[2:]
print(json.dumps({"cpu": time.process_time() - began, "order": order}))
"""
#: What the project promises: not worse by more than this on the mean and on any set; so many times the speed.
WORSE_MEAN, WORSE_SET, FASTER, FASTER_2 = 0.002, 0.01, 10.0, 18.0


def environment() -> Path:
    """The interpreter of ASReview's environment, made if need be."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        lock = HERE / "requirements-screening.lock"
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)], check=True
        )
    return python


def run(python: Path | str, code: str, *words: object) -> dict:
    """One simulation in a process of its own, in a folder of its own (ASReview leaves a cache behind)."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(python), "-W", "ignore", "-c", READ + code, *map(str, words)],
            capture_output=True,
            text=True,
            env=ONE_THREAD,
            cwd=folder,
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    """Print the table; status 1 where a promise is broken."""
    import numpy as np

    from balm.review.screening.measures import mean_position, recall_after, work_saved

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--sets", nargs="*", help="only sets whose name holds one of these")
    parser.add_argument("--peer", help=f"Python that has asreview (default: that of {VENV.name}, made if need be)")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("BALM_SHARED", CHECKOUT.parent / "shared"))
    files = sorted((shared / "samples" / "screening").glob("*.csv.gz"))
    files = [f for f in files if not arguments.sets or any(s in f.name for s in arguments.sets)]
    if not files:
        raise SystemExit("no labelled sets: put them into ../shared/samples/screening or set BALM_SHARED")
    peers_python = arguments.peer or str(environment())
    head = f"{'set':<34}{'seed':>5}{'n':>6}{'incl':>5} | {'WSS@95':>7}{'peer':>7}{'2 %':>7} | {'ATD':>6}{'peer':>7}"
    print(head + f" | {'CPU s':>6}{'peer':>7}{'x':>6}{'2 %':>7}{'x':>6} | same order for")
    kept: list[list[float]] = []
    per_set: dict[str, list[float]] = {}
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        label = "included" if "included" in rows[0] else "label_included"
        labels = np.array([int(r[label]) for r in rows])
        for seed in arguments.seeds:
            draw = np.random.default_rng(seed)
            included = int(draw.choice(np.flatnonzero(labels == 1)))
            excluded = int(draw.choice(np.flatnonzero(labels == 0)))
            words = (file, label, included, excluded, seed)
            ours = run(sys.executable, OURS, *words, "every")
            peer = run(peers_python, PEER, *words, "every")
            sparse = run(sys.executable, OURS, *words, "2%")
            found = []
            for done in (ours, peer, sparse):
                read = np.zeros(len(labels) - 2, dtype=bool)  # nothing is included after the last one found
                read[: len(done["order"])] = labels[done["order"]] == 1
                found.append((work_saved(read), recall_after(read), mean_position(read)))
            both = min(len(ours["order"]), len(peer["order"]))
            apart = np.flatnonzero(np.array(ours["order"][:both]) != np.array(peer["order"][:both]))
            same = f"{int(apart[0])} of {both}" if len(apart) else f"all {both}"
            name = file.name.removesuffix(".csv.gz")
            print(
                f"{name:<34}{seed:>5}{len(labels):>6}{int(labels.sum()):>5} | {found[0][0]:>7.4f}{found[1][0]:>7.4f}"
                f"{found[2][0]:>7.4f} | {found[0][2]:>6.4f}{found[1][2]:>7.4f} | {ours['cpu']:>6.2f}{peer['cpu']:>7.2f}"
                f"{peer['cpu'] / ours['cpu']:>6.1f}{sparse['cpu']:>7.2f}{peer['cpu'] / sparse['cpu']:>6.1f} | {same}",
                flush=True,
            )
            kept.append([*(v for f in found for v in f), ours["cpu"], peer["cpu"], sparse["cpu"]])
            per_set.setdefault(name, []).append(found[1][0] - found[0][0])
    table = np.array(kept)
    mean = table.mean(axis=0)
    total = table[:, 9:].sum(axis=0)
    print(
        f"mean WSS@95 {mean[0]:.4f}, peer {mean[3]:.4f}, 2 % {mean[6]:.4f}; "
        f"recall after 10 % {mean[1]:.4f}, {mean[4]:.4f}, {mean[7]:.4f}; "
        f"ATD {mean[2]:.4f}, {mean[5]:.4f}, {mean[8]:.4f}"
    )
    print(
        f"CPU seconds {total[0]:.1f}, peer {total[1]:.1f} ({total[1] / total[0]:.1f}x), 2 % {total[2]:.1f} "
        f"({total[1] / total[2]:.1f}x); {time.strftime('%Y-%m-%d')}"
    )
    worst = max(float(np.mean(v)) for v in per_set.values())
    kept_promises = {
        f"mean WSS@95 not worse by more than {WORSE_MEAN}": mean[3] - mean[0] <= WORSE_MEAN,
        f"mean ATD not worse by more than {WORSE_MEAN}": mean[2] - mean[5] <= WORSE_MEAN,
        f"no set's WSS@95 worse by more than {WORSE_SET} (worst: {worst:.4f})": worst <= WORSE_SET,
        f"at least {FASTER:g}x faster": total[1] >= FASTER * total[0],
        f"at least {FASTER_2:g}x faster at 2 %": total[1] >= FASTER_2 * total[2],
    }
    for promise, holds in kept_promises.items():
        print(f"{'kept  ' if holds else 'BROKEN'} {promise}")
    return 0 if all(kept_promises.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
