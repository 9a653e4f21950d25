"""Screening order against ASReview: the same sets, priors and order of work in one run, one thread, CPU seconds.

    python benchmarks/screening.py                    # the sets that ASReview reads in half a minute, seed 1: minutes
    python benchmarks/screening.py --all              # every labelled set, seeds 1, 2 and 3: half an hour and more
    python benchmarks/screening.py --sets ADHD ace --seeds 4 5

The labelled sets are read from ``../shared/samples/screening`` (or ``BALM_SHARED``). ASReview lives in
``.venv-bench-screening``, made from ``benchmarks/requirements-screening.lock``. Priors are drawn here by seed, one
included and one excluded, and given to both. Both build their features and train after every label until the last
included record is found; ours is also timed learning after every 2 % of the labels. Measures leave out the priors.

Each set and seed is three processes, one after the other, and its row is kept in ``.venv-bench-screening/rows.jsonl``
as soon as it is done: an interrupted run goes on where it stopped. A row is taken up only if the set, the priors, the
peer's versions and every file of ours that takes part are as they were; ``--anew`` measures everything again.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
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
#: Run without ``--all`` or ``--sets``: each takes ASReview less than half a minute.
QUICK = ("ADHD", "Antihistamines", "NSAIDS", "OralHypoglycemics", "Triptans", "virus")
#: What of ours takes part in a simulation; a row measured with other code is measured again.
TAKES_PART = ("features", "labels", "measures", "schedule", "simulation", "single_thread", "solver")
MEASURES = ("wss95", "wss100", "rrf10", "atd", "last")


def environment() -> Path:
    """The interpreter of ASReview's environment, made if need be."""
    python, stamp, lock = VENV / "bin" / "python", VENV / ".installed", HERE / "requirements-screening.lock"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        print(f"setting up ASReview's environment ({VENV.name}) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)], check=True
        )
        stamp.touch()
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


def code_of() -> str:
    """What the figures rest on beside the set and the priors: our code, the peer's call and its locked versions."""
    import balm

    folder = Path(balm.__file__).parent / "review" / "screening"
    files = [folder / f"{name}.py" for name in TAKES_PART] + [HERE / "requirements-screening.lock"]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files) + (READ + OURS + PEER).encode()).hexdigest()[:16]


def peer_of(python: str) -> str:
    """What the peer is, wherever it is installed: its version and those of what it computes with."""
    names = ("asreview", "scikit-learn", "scipy", "numpy", "pandas")
    code = f"from importlib.metadata import version\nprint(*[version(name) for name in {names}])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{python} has no asreview: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


def one_row(file: Path, seed: int, peers_python: str) -> dict:
    """Both programs on one set with one draw of priors: measures, CPU seconds, how long the orders are the same."""
    import numpy as np

    from balm.review.screening.measures import mean_position, recall_after, work_saved

    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    label = "included" if "included" in rows[0] else "label_included"
    labels = np.array([int(r[label]) for r in rows])
    draw = np.random.default_rng(seed)
    included = int(draw.choice(np.flatnonzero(labels == 1)))
    excluded = int(draw.choice(np.flatnonzero(labels == 0)))
    words = (file, label, included, excluded, seed)
    done = {
        "ours": run(sys.executable, OURS, *words, "every"),
        "peer": run(peers_python, PEER, *words, "every"),
        "two": run(sys.executable, OURS, *words, "2%"),
    }
    row: dict = {"set": file.name.removesuffix(".csv.gz"), "seed": seed, "n": len(labels), "r": int(labels.sum())}
    for who, found in done.items():
        read = np.zeros(len(labels) - 2, dtype=bool)  # nothing is included after the last one found
        read[: len(found["order"])] = labels[found["order"]] == 1
        values = (work_saved(read), work_saved(read, 1.0), recall_after(read), mean_position(read))
        row[who] = dict(zip(MEASURES, (*values, len(found["order"])), strict=True)) | {"cpu": found["cpu"]}
    a, b = done["ours"]["order"], done["peer"]["order"]
    both = min(len(a), len(b))
    row["same"] = next((i for i in range(both) if a[i] != b[i]), both)
    return row


def line(row: dict) -> str:
    """One row of the table."""
    ours, peer, two = row["ours"], row["peer"], row["two"]
    return (
        f"{row['set']:<34}{row['seed']:>5}{row['n']:>6}{row['r']:>5} | "
        f"{ours['wss95']:>7.4f}{peer['wss95']:>8.4f}{two['wss95']:>8.4f} | "
        f"{ours['atd']:>6.4f}{peer['atd']:>7.4f}{two['atd']:>7.4f} | "
        f"{ours['wss100']:>6.3f}{peer['wss100']:>7.3f}{ours['last']:>6}{peer['last']:>6} | "
        f"{ours['cpu']:>6.2f}{peer['cpu']:>7.2f}{peer['cpu'] / ours['cpu']:>6.1f}"
        f"{two['cpu']:>7.2f}{peer['cpu'] / two['cpu']:>6.1f} | {row['same']:>5}"
    )


def main() -> int:
    """Print the table; status 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--all", action="store_true", help="every set, seeds 1, 2 and 3")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds that draw the priors (default: 1)")
    parser.add_argument("--sets", nargs="+", help="only sets whose name holds one of these")
    parser.add_argument("--anew", action="store_true", help="measure again what an earlier run has measured")
    parser.add_argument("--peer", help=f"Python that has asreview (default: that of {VENV.name}, made if need be)")
    arguments = parser.parse_args()
    seeds = arguments.seeds or ([1, 2, 3] if arguments.all else [1])
    names = arguments.sets or ([""] if arguments.all else QUICK)
    shared = Path(os.environ.get("BALM_SHARED", CHECKOUT.parent / "shared"))
    # The small sets first: a run that is interrupted has said most.
    files = sorted((shared / "samples" / "screening").glob("*.csv.gz"), key=lambda f: (f.stat().st_size, f.name))
    files = [f for f in files if any(s in f.name for s in names)]
    if not files:
        raise SystemExit("no labelled sets: put them into ../shared/samples/screening or set BALM_SHARED")
    peers_python = arguments.peer or str(environment())
    code, kept = f"{peer_of(peers_python)} {code_of()}", VENV / "rows.jsonl"
    earlier: dict[str, dict] = {}
    if kept.exists() and not arguments.anew:
        for text in kept.read_text().splitlines():
            try:
                found = json.loads(text)
                earlier[found["key"]] = found["row"]
            except (ValueError, KeyError):  # a run that was ended while it wrote
                continue
    print(
        f"{'set':<34}{'seed':>5}{'n':>6}{'incl':>5} | {'WSS@95':>7}{'peer':>8}{'2 %':>8} | {'ATD':>6}{'peer':>7}{'2 %':>7}"
        f" | {'WSS@100':>6}{'peer':>6}{'last':>6}{'peer':>6} | {'CPU s':>6}{'peer':>7}{'x':>6}{'2 %':>7}{'x':>6} | same first"
    )
    table = []
    todo = [(file, seed) for file in files for seed in seeds]
    for at, (file, seed) in enumerate(todo, start=1):
        key = hashlib.sha256(file.read_bytes() + f"{seed} {code}".encode()).hexdigest()
        row = earlier.get(key)
        if row is None:
            row = one_row(file, seed, peers_python)
            if kept.parent.is_dir():
                with kept.open("a") as out:
                    out.write(json.dumps({"key": key, "row": row}) + "\n")
        table.append(row)
        print(f"{line(row)}   {at}/{len(todo)}{'  (kept)' if key in earlier else ''}", flush=True)
    return verdict(table)


def verdict(table: list[dict]) -> int:
    """Means, totals and the promises."""
    from statistics import fmean, median

    for name in ("wss95", "wss100", "rrf10", "atd"):
        means = {who: fmean(row[who][name] for row in table) for who in ("ours", "peer", "two")}
        print(f"mean {name:<7} {means['ours']:.4f}, peer {means['peer']:.4f}, 2 % {means['two']:.4f}")
    earlier = sum(row["ours"]["last"] < row["peer"]["last"] for row in table)
    later = sum(row["ours"]["last"] > row["peer"]["last"] for row in table)
    print(f"last included record: {earlier} runs earlier than the peer, {later} later, of {len(table)}")
    total = {who: sum(row[who]["cpu"] for row in table) for who in ("ours", "peer", "two")}
    times = {who: sorted(row["peer"]["cpu"] / row[who]["cpu"] for row in table) for who in ("ours", "two")}
    print(
        f"CPU seconds {total['ours']:.1f}, peer {total['peer']:.1f}, 2 % {total['two']:.1f}; times faster in total "
        f"{total['peer'] / total['ours']:.1f} and {total['peer'] / total['two']:.1f}; per simulation median "
        f"{median(times['ours']):.1f} (least {times['ours'][0]:.1f}) and {median(times['two']):.1f} "
        f"(least {times['two'][0]:.1f}); {time.strftime('%Y-%m-%d')}"
    )
    mean = {who: {m: fmean(row[who][m] for row in table) for m in MEASURES} for who in ("ours", "peer")}
    sets = {row["set"]: [r for r in table if r["set"] == row["set"]] for row in table}
    lost = {s: fmean(r["peer"]["wss95"] - r["ours"]["wss95"] for r in rows) for s, rows in sets.items()}
    worst = max(lost, key=lambda s: lost[s])
    promises = {
        f"mean WSS@95 not worse by more than {WORSE_MEAN}": mean["peer"]["wss95"] - mean["ours"]["wss95"] <= WORSE_MEAN,
        f"mean ATD not worse by more than {WORSE_MEAN}": mean["ours"]["atd"] - mean["peer"]["atd"] <= WORSE_MEAN,
        f"no set's WSS@95 worse by more than {WORSE_SET} (worst: {worst}, {lost[worst]:.4f})": lost[worst] <= WORSE_SET,
        f"at least {FASTER:g}x faster in total": total["peer"] >= FASTER * total["ours"],
        f"at least {FASTER_2:g}x faster in total at 2 %": total["peer"] >= FASTER_2 * total["two"],
    }
    for promise, holds in promises.items():
        print(f"{'kept  ' if holds else 'BROKEN'} {promise}")
    return 0 if all(promises.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
