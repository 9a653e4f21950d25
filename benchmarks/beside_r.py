"""One model at a time, ours and R's in turn: what the benchmarks beside R share.

Each round starts one process of R and one of ours; both print their CPU seconds and numbers as JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import run  # noqa: E402

#: CPU seconds that a warm loop lasts at least.
LEAST_SECONDS = 0.3


def given(document: str | None, tasks: Iterable[str], studies: int) -> argparse.Namespace:
    """The options of such a benchmark; its number of studies may be asked for."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--studies", type=int, default=studies)
    parser.add_argument("--only", choices=list(tasks), help="one task")
    return parser.parse_args()


def rscript(packages: str = "r-cran-metafor") -> str:
    """R with metafor, or the end of the script."""
    found = run.metafor()
    if found is None:
        raise SystemExit(f"Rscript with metafor is not installed (Debian: apt-get install {packages})")
    return found


def warm(work: Callable[[], Any], numbers: Callable[[Any], Sequence[float]]) -> None:
    """Time ``work`` after a first call, and print its CPU seconds a call with the ``numbers`` of its result."""
    work()
    seconds, found = run.seconds_a_call(work, LEAST_SECONDS)
    print(json.dumps({"seconds": seconds, "numbers": list(numbers(found))}))


def head(studies: int, compared: str) -> None:
    """The first line of the table."""
    print(
        f"{f'one model, {studies} studies':<24}{'balm ms':>10}{'R ms':>12}{'ratio':>8}{'mark':>6}  {compared}, ours - theirs"
    )


def row(name: str, rounds: int, peer: list[str], own: list[str], mark: int | None, needs: str = "") -> None:
    """Both commands in turn, ``rounds`` times: medians, the median of the ratios, and how far the numbers are apart."""
    mine, other, apart = [], [], [0.0]
    for _ in range(rounds):
        try:
            theirs, _ = run.child(peer)
        except RuntimeError:
            if not needs:
                raise
            print(f"{name:<24} R needs {needs}")
            return
        ours, _ = run.child([sys.executable, *own])
        mine.append(ours["seconds"])
        other.append(theirs["seconds"])
        apart = [a - b for a, b in zip(ours["numbers"], theirs["numbers"], strict=True)]
    ratio = statistics.median(o / m for o, m in zip(other, mine, strict=True))
    verdict = "" if mark is None else "ok" if ratio >= mark else "BELOW"
    print(
        f"{name:<24}{statistics.median(mine) * 1e3:>10.2f}{statistics.median(other) * 1e3:>12.1f}{ratio:>7.1f}x"
        f"{'' if mark is None else f'{mark}x':>6}  {' '.join(f'{a:+.1e}' for a in apart)} {verdict}",
        flush=True,
    )
