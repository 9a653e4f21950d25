"""Abstracts checked a minute: ``balm claims FILE.csv --column abstract -o out.csv`` on a table made under a fixed seed.

    python benchmarks/claims.py [--abstracts 10000] [--processes 2]

Abstracts are put together from the labelled sentences of ``tests/unit/review/claims_in_text/labelled.json`` to the mean
length of abstracts in search exports (1,600 characters). Wall clock is what a person waits; CPU seconds are summed over
the processes, and say what another machine would take.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SENTENCES = CHECKOUT / "tests" / "unit" / "review" / "claims_in_text" / "labelled.json"
CHARACTERS = 1600


def abstracts(n: int, seed: int = 1) -> list[str]:
    """``n`` abstracts of labelled sentences in random order."""
    rng = random.Random(seed)
    sentences = [s["text"] for s in json.loads(SENTENCES.read_text("utf-8"))]
    made = []
    for _ in range(n):
        text = ""
        while len(text) < CHARACTERS:
            text += rng.choice(sentences) + ". "
        made.append(text)
    return made


def cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    return sum(
        x.ru_utime + x.ru_stime for x in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Write the table, check it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--abstracts", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    from balm.actions.claims import check_file

    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "records.csv", Path(folder) / "claims.csv"
        with table.open("w", newline="", encoding="utf-8") as sink:
            csv.writer(sink).writerows([["abstract"], *([text] for text in abstracts(given.abstracts))])
        wall, used = time.perf_counter(), cpu()
        done = check_file(table, out, column="abstract", processes=given.processes)
        wall, used = time.perf_counter() - wall, cpu() - used
    print(
        f"{done.texts:,} abstracts of {CHARACTERS:,} characters, {sum(done.counts.values()):,} claims, {given.processes} processes"
    )
    print(
        f"wall {wall:.1f} s: {60 * done.texts / wall:,.0f} a minute; CPU {used:.1f} s: {60 * done.texts / used:,.0f} a minute and processor"
    )


if __name__ == "__main__":
    sys.exit(main())
