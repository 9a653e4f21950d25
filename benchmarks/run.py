"""Ratios against peers on the same work, in one run: interleaved child processes, CPU time, medians, agreement.

`make bench ONLY=run` runs everything; `python benchmarks/run.py one many` runs some tasks. metafor is used through
Rscript where R has it; PyMARE, statsmodels and pimeta live in `.venv-bench`, made here from `benchmarks/requirements.lock`. What
is missing is said.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
ROUNDS = 5
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def bcg(path: Path) -> None:
    """The BCG vaccine trials (Colditz et al. 1994), as counts."""
    rows = [
        ("Aronson 1948", 4, 123, 11, 139),
        ("Ferguson & Simes 1949", 6, 306, 29, 303),
        ("Rosenthal et al. 1960", 3, 231, 11, 220),
        ("Hart & Sutherland 1977", 62, 13598, 248, 12867),
        ("Frimodt-Moller et al. 1973", 33, 5069, 47, 5808),
        ("Stein & Aronson 1953", 180, 1541, 372, 1451),
        ("Vandiviere et al. 1973", 8, 2545, 10, 629),
        ("TPT Madras 1980", 505, 88391, 499, 88391),
        ("Coetzee & Berjak 1968", 29, 7499, 45, 7277),
        ("Rosenthal et al. 1961", 17, 1716, 65, 1665),
        ("Comstock et al. 1974", 186, 50634, 141, 27338),
        ("Comstock & Webster 1969", 5, 2498, 3, 2341),
        ("Comstock et al. 1976", 27, 16913, 29, 17854),
    ]
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["study", "events_1", "n_1", "events_2", "n_2"])
        writer.writerows(rows)


def simulated(path: Path, sizes: list[int], seed: int) -> None:
    """Log-odds-like effects; a third of the analyses with no true heterogeneity."""
    rng = random.Random(seed)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["g", "y", "v"])
        for g, k in enumerate(sizes):
            tau = 0.0 if rng.random() < 0.35 else rng.uniform(0.1, 0.6)
            for _ in range(k):
                v = math.exp(rng.gauss(-2.0, 0.9))
                writer.writerow([g, repr(rng.gauss(0.2, math.sqrt(v + tau * tau))), repr(v)])


def child(command: list[str]) -> tuple[dict, float]:
    """Run one command; its JSON line if it prints one, and its whole-process CPU seconds."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.DEVNULL, env=ENVIRONMENT, cwd=tempfile.gettempdir()
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    line = text.strip().splitlines()[-1] if text.strip() else ""
    return (json.loads(line) if line.startswith("{") else {}), usage.ru_utime + usage.ru_stime


def most_memory(command: list[str]) -> float:
    """The largest resident memory of one command, in MB, measured from a small process: a child counts its parent's."""
    code = (
        "import os, sys\n"
        "words = sys.argv[1:]\n"
        "child = os.posix_spawn(words[0], words, os.environ, "
        "file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])\n"
        "print(os.wait4(child, 0)[2].ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, *command], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    return float(done.stdout)


def seconds_a_call(work: Callable[[], Any], least: float) -> tuple[float, Any]:
    """CPU seconds a call of ``work``, repeated until ``least`` are spent, and its last result."""
    spent, times, found = 0.0, 0, None
    while spent < least:
        start = time.process_time()
        found = work()
        spent += time.process_time() - start
        times += 1
    return spent / times, found


def agreement(ours: list[float], theirs: list[float | None]) -> float:
    """The largest mixed difference over the numbers both computed."""
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=False) if b is not None and not math.isnan(b)]
    return max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs)


def peers_python() -> str | None:
    """The Python of the peers' own environment, made on first use."""
    home = CHECKOUT / ".venv-bench"
    python = home / "bin" / "python"
    lock = HERE / "requirements.lock"
    stamp = home / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        print("setting up the peers' environment (.venv-bench) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)], check=True
        )
        stamp.touch()
    return str(python)


def metafor() -> str | None:
    rscript = shutil.which("Rscript")
    if rscript and subprocess.run([rscript, "-e", "library(metafor)"], capture_output=True).returncode == 0:
        return rscript
    return None


def compare(
    title: str, ours: list[str], theirs: list[str], *, whole: bool = False, mark: str = "", check: bool = True
) -> dict:
    """One row: both commands in turn, the median of the ratios, its range, and the agreement of the numbers."""
    ratios, mine, other, worst = [], [], [], 0.0
    for _ in range(ROUNDS):
        theirs_json, theirs_cpu = child(theirs)
        ours_json, ours_cpu = child(ours)
        a, b = (ours_cpu, theirs_cpu) if whole else (ours_json["seconds"], theirs_json["seconds"])
        ratios.append(b / a)
        mine.append(a)
        other.append(b)
        if check and not whole:
            worst = max(worst, agreement(ours_json["numbers"], theirs_json["numbers"]))
    row = {
        "task": title,
        "balm ms": statistics.median(mine) * 1e3,
        "peer ms": statistics.median(other) * 1e3,
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "mark": mark,
        "agreement": worst if check and not whole else None,
    }
    show(row)
    return row


def show(row: dict) -> None:
    agree = "" if row["agreement"] is None else f"{row['agreement']:.1e}"
    print(
        f"{row['task']:<58} {row['balm ms']:>10.4f} {row['peer ms']:>11.3f} {row['ratio']:>9.1f}x {row['lowest']:>8.1f}x"
        f" {row['mark']:>9} {agree:>9}",
        flush=True,
    )


def main() -> None:
    only = set(sys.argv[1:])

    def wanted(name: str) -> bool:
        return not only or name in only

    python = sys.executable
    rscript = metafor()
    print(
        f"{'task (CPU time)':<58} {'balm ms':>10} {'peer ms':>11} {'ratio':>10} {'lowest':>9} {'mark':>9} {'agreement':>9}"
    )
    if rscript is None:
        print("Rscript with metafor is not installed: its rows are left out (Debian: apt-get install r-cran-metafor)")
    # Figures and tables go to memory-backed storage where the machine has it: the disk is not what is measured.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder = Path(name)
        one = {k: folder / f"one{k}.csv" for k in (10, 25, 50)}
        for k, path in one.items():
            simulated(path, [k], seed=k)
        many, twenty, five_hundred, counts = (folder / f for f in ("many.csv", "20.csv", "500.csv", "bcg.csv"))
        rng = random.Random(1)
        simulated(many, [rng.randint(2, 60) for _ in range(1000)], seed=2)
        simulated(twenty, [20], seed=3)
        simulated(five_hundred, [500], seed=4)
        bcg(counts)

        def ours(task: str, data: Path, repeats: int, out: str = "-") -> list[str]:
            return [python, str(HERE / "ours.py"), task, str(data), str(repeats), out]

        def theirs(task: str, data: Path, repeats: int, out: str = "-") -> list[str]:
            return [rscript or "", str(HERE / "peers" / "metafor.R"), task, str(data), str(repeats), out]

        def python_peer(peer: str, task: str, data: Path, repeats: int) -> list[str]:
            return [peers_python() or "", str(HERE / "peers" / "python_peers.py"), peer, task, str(data), str(repeats)]

        if rscript:
            if wanted("one"):
                for k, path in one.items():
                    compare(
                        f"one full REML analysis, k = {k}, v metafor",
                        ours("one", path, 300),
                        theirs("one", path, 20),
                        mark=">= 100x",
                    )
            if wanted("many"):
                compare(
                    "1,000 full REML analyses, k 2 to 60, each, v metafor",
                    ours("many", many, 100),
                    theirs("many", many, 100),
                    mark=">= 700x",
                )
            if wanted("forest"):
                # Warm on both sides. PNG: metafor's has as many pixels as ours, which is written at scale 1.
                for studies, data, svg in ((20, twenty, ">= 30x"), (500, five_hundred, ">= 20x")):
                    for ending, mark in (("svg", svg), ("pdf", ">= 10x"), ("png", ">= 3x")):
                        compare(
                            f"forest plot of {studies} studies, {ending.upper()}, v metafor",
                            ours(f"forest-{ending}", data, 4000 // studies, str(folder / f"a.{ending}")),
                            theirs(f"forest-{ending}", data, 10, str(folder / f"b.{ending}")),
                            mark=mark,
                            check=False,
                        )
            if wanted("command"):
                balm = [str(Path(python).parent / "balm"), "pool", str(counts), "--measure", "RR"]
                command = [*balm, "--forest", str(folder / "c.svg")]
                # An installed package has its bytecode beside it; a checkout may not.
                subprocess.run([python, "-m", "compileall", "-q", str(CHECKOUT / "src" / "balm")], check=True)
                compare(
                    "command line: CSV to result and forest plot, v Rscript",
                    command,
                    theirs("command", counts, 1, str(folder / "d.svg")),
                    whole=True,
                    mark=">= 20x",
                )
                print(f"{'':<58} {most_memory(command):>8.1f} MB at most 20 MB")
        if wanted("peers"):
            for peer in ("pymare", "statsmodels"):
                compare(
                    f"one full REML analysis, k = 25, v {peer}",
                    ours("one", one[25], 300),
                    python_peer(peer, "one", one[25], 20),
                    mark=">= 15x",
                    check=False,
                )
                compare(
                    f"1,000 REML analyses, each, v {peer} in a loop",
                    ours("many", many, 100),
                    python_peer(peer, "many", many, 100),
                    check=False,
                )
        if wanted("import"):
            bare = [child([python, "-I", "-c", "pass"])[1] for _ in range(20)]
            loaded = [child([python, "-I", "-c", "import balm"])[1] for _ in range(20)]
            listed = [child([str(Path(python).parent / "balm"), "--help"])[1] for _ in range(20)]
            base = statistics.median(bare)
            print(
                f"import balm: {(statistics.median(loaded) - base) * 1e3:.1f} ms over the bare interpreter ({base * 1e3:.1f} ms); mark <= 40 ms"
            )
            print(f"balm --help: {statistics.median(listed) * 1e3:.1f} ms CPU in all; mark < 150 ms")


if __name__ == "__main__":
    main()
