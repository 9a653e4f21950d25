"""balm on the benchmark's tasks, warm. Prints one JSON line: CPU seconds an item, and the numbers computed."""

from __future__ import annotations

import csv
import json
import sys
import time
from typing import Any

import numpy as np

import balm


def full(y: Any, v: Any) -> list[float]:
    """Everything the peer's row computes: fit, Hartung-Knapp, Q-profile interval, prediction interval."""
    fit = balm.pool(balm.EffectSizes(effect=y, variance=v), tau2="REML", inference="hartung-knapp")
    tau2 = fit.heterogeneity_interval(method="q-profile").tau2
    return [fit.estimate, fit.se, fit.tau2, *tau2, *fit.prediction_interval]


def main(task: str, path: str, repeats: int, out: str) -> None:
    with open(path, newline="") as handle:
        rows = list(csv.DictReader(handle))
    y = np.array([float(r["y"]) for r in rows])
    v = np.array([float(r["v"]) for r in rows])
    if task == "one":
        numbers = full(y, v)[:3]
        start = time.process_time()
        for _ in range(repeats):
            full(y, v)
        seconds = (time.process_time() - start) / repeats
    elif task == "many":
        group = np.array([int(r["g"]) for r in rows])
        balm.pool_many(y[:50], v[:50], group[:50], inference="hartung-knapp")
        start = time.process_time()
        rounds = 5
        for _ in range(rounds):
            many = balm.pool_many(y, v, group, tau2="REML", inference="hartung-knapp", tau2_interval="q-profile")
        seconds = (time.process_time() - start) / rounds / len(many.estimate)
        numbers = np.column_stack([many.estimate, many.se, many.tau2])[:repeats].ravel().tolist()
    else:
        fit = balm.pool(balm.EffectSizes(effect=y, variance=v, study=[f"Study {i + 1}" for i in range(len(y))]))

        def draw() -> None:
            if task == "forest-png":  # as many pixels as the peer's
                with open(out, "wb") as image:
                    image.write(fit.forest().png(scale=1))
            else:
                fit.forest(out)

        draw()
        start = time.process_time()
        for _ in range(repeats):
            draw()
        seconds = (time.process_time() - start) / repeats
        numbers = [fit.estimate]
    print(json.dumps({"seconds": seconds, "numbers": numbers}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
