"""Ranking again after one more decision, live: wall and CPU seconds, against a cold fit of scikit-learn's LinearSVC.

    python benchmarks/reranking.py           # 10,000 and 20,000 records
    python benchmarks/reranking.py --large   # and 100,000: some minutes and 4 GB

Records are made up, with words as frequent as in abstracts. Ours is ``balm.rank`` with the features kept, as a server
keeps them; the peer's row is the training and scoring alone (TF-IDF kept as well), in ASReview's environment (see
``benchmarks/screening.py``). One thread each. The order is compared with that of a cold solve without preconditioner.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

#: (records, labels, seconds promised)
SIZES = ((10_000, 1_000, 0.05), (20_000, 5_000, 1.0))
LARGE = ((100_000, 1_000, 0.3),)
ROUNDS = 5

MADE = """
import json, sys, time
import numpy as np

def made(n, m):
    rng = np.random.default_rng(7)
    words = np.array([f"w{i:05d}" for i in range(60_000)])
    common = 1 / np.arange(2, 60_002) ** 0.95
    common /= common.sum()
    topic = rng.permutation(60_000)[:200]
    labels = rng.random(n) < 0.04
    texts = []
    for is_in, length in zip(labels, rng.integers(90, 220, n)):
        drawn = rng.choice(60_000, int(length), p=common)
        if is_in or rng.random() < 0.05:
            drawn[rng.random(len(drawn)) < 0.05] = rng.choice(topic)
        texts.append(" ".join(words[drawn]))
    return texts, labels

n, m, rounds = map(int, sys.argv[1:])
texts, labels = made(n, m)
"""
PEER = """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
x = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_df=0.95, min_df=1).fit_transform(texts)
for k in range(rounds):
    wall, cpu = time.perf_counter(), time.process_time()
    rows = np.arange(m + k)
    y = labels[rows]
    share = np.where(y, 1.0, y.sum() / (9.8 * (~y).sum()))
    fit = LinearSVC(C=0.11, loss="squared_hinge").fit(x[rows], y, sample_weight=share * len(y) / share.sum())
    order = np.argsort(-fit.decision_function(x[m + k :]), kind="stable")
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]), flush=True)
"""
OURS = """
from balm.review.screening import ranking
from balm.review.screening.features import features_of
wall = time.perf_counter()
features = features_of(texts)
print(json.dumps({"features": time.perf_counter() - wall}), flush=True)
ranking.rank(texts, {0: 1, 1: 0}, features=features)
for k in range(rounds):
    wall, cpu = time.perf_counter(), time.process_time()
    found = ranking.rank(texts, dict(enumerate(labels[: m + k].tolist())), features=features)
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]), flush=True)
ranking.included_block = lambda *_: None
plain = ranking.rank(texts, dict(enumerate(labels[: m + rounds - 1].tolist())), features=features)
print(json.dumps({"same": bool((plain.order == found.order).all())}))
"""


def child(python: str, code: str, *words: int) -> list:
    """The lines a measured process prints."""
    from screening import ONE_THREAD

    done = subprocess.run(
        [python, "-W", "ignore", "-c", MADE + code, *map(str, words)], capture_output=True, text=True, env=ONE_THREAD
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> int:
    """Print the table; status 1 where a promise is broken."""
    from screening import environment

    peers_python, broken = str(environment()), 0
    print(
        f"{'records':>8}{'labels':>8} | {'wall s':>7}{'CPU s':>7}{'mark':>7} | {'LinearSVC CPU s':>16}{'x':>6} | order"
    )
    for n, m, mark in SIZES + (LARGE if "--large" in sys.argv[1:] else ()):
        first, *rows, last = child(sys.executable, OURS, n, m, ROUNDS)
        theirs = child(peers_python, PEER, n, m, 2)
        wall, cpu = (statistics.median(r[i] for r in rows) for i in (0, 1))
        peer = statistics.median(r[1] for r in theirs)
        held = cpu <= mark
        broken += not (held and last["same"])
        order = "that of the plain solve" if last["same"] else "NOT that of the plain solve"
        print(
            f"{n:>8,}{m:>8,} | {wall:>7.3f}{cpu:>7.3f}{mark:>7.2f} | {peer:>16.2f}{peer / cpu:>6.1f} | {order}; "
            f"{'kept' if held else 'BROKEN'}; features {first['features']:.1f} s",
            flush=True,
        )
    print(f"load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
