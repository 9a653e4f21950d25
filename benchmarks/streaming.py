"""Pooling whole files, Parquet to Parquet, in constant memory: cost and peak memory from 1e4 to 1e7 meta-analyses.

    python benchmarks/streaming.py                  # 1e4, 1e5 and 1e6 analyses, and Dask with 1, 2 and 4 workers
    python benchmarks/streaming.py --largest 1e7    # and ten million: 1 GB of input in the temporary folder

Each size is a child process of its own, with the compiled kernel and without: CPU seconds of the whole process and its
peak memory, against their marks. The growth exponent is that of the time beyond the start of Python from 1e6 on. The
same file then goes through a real Dask cluster on this machine with one worker, two and four, and the results are
compared byte by byte with the one that was streamed.
"""

from __future__ import annotations

import argparse
import filecmp
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

#: Analyses generated and written at once: one row group of the input.
AT_ONCE = 1 << 16

#: Marks at ten million analyses: CPU seconds with the kernel and without, peak MB (10**6 bytes), the growth exponent
#: from a million on, and how far the peak may move from a hundred thousand on.
MOST_SECONDS = {"kernel": 15.0, "NumPy": 45.0}
MOST_MEMORY = 300.0
MOST_GROWTH = 1.05
FLAT = 0.20

POOL = """
import sys
from balm.actions.pool_stream import pool_table
if __name__ == "__main__":
    print(pool_table(sys.argv[1], by="analysis", out=sys.argv[2], tau2="REML", inference="hartung-knapp"))
"""

CLUSTER = """
import sys
from distributed import Client, LocalCluster
from balm.actions.pool_stream import pool_table
if __name__ == "__main__":
    with LocalCluster(n_workers=int(sys.argv[3]), threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            pool_table(sys.argv[1], by="analysis", out=sys.argv[2], tau2="REML", inference="hartung-knapp",
                       engine="dask", client=client)
"""


def generate(path: Path, analyses: int) -> int:
    """A long table as in the Cochrane library: median four studies, a long tail; how many studies it holds."""
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(9)
    schema = pa.schema([("analysis", pa.int64()), ("effect", pa.float64()), ("variance", pa.float64())])
    studies = 0
    with parquet.ParquetWriter(path, schema, compression="snappy") as writer:
        for first in range(0, analyses, AT_ONCE):
            count = min(AT_ONCE, analyses - first)
            k = np.clip(np.rint(np.exp(rng.normal(1.4, 0.85, count))), 2, 60).astype(np.int64)
            tau2 = np.where(rng.random(count) < 0.35, 0.0, rng.uniform(0.01, 0.36, count))
            v = np.exp(rng.normal(-2.0, 0.9, int(k.sum())))
            y = rng.normal(0.2, np.sqrt(v + np.repeat(tau2, k)))
            writer.write_table(pa.table([np.repeat(np.arange(first, first + count), k), y, v], schema=schema))
            studies += len(y)
    return studies


def spent(command: list[str], kernel: str = "on") -> tuple[float, float]:
    """CPU seconds of a child and of its own children, and its peak memory in MB."""
    environment = {**os.environ, "BALM_KERNEL": kernel, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the child ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def verdict(good: bool) -> str:
    return "ok" if good else "BELOW"


def growth(folder: Path, sizes: list[int]) -> None:
    """One row a size and engine, then what they say about growth."""
    print(f"{'analyses':>12} {'studies':>12} {'engine':<8} {'CPU s':>8} {'us each':>8} {'peak MB':>8}   mark")
    seconds: dict[tuple[str, int], float] = {}
    memory: dict[tuple[str, int], float] = {}
    for size in sizes:
        source, out = folder / "in.parquet", folder / "out.parquet"
        studies = generate(source, size)
        for engine, switch in (("kernel", "on"), ("NumPy", "off")):
            took, peak = spent([sys.executable, "-c", POOL, str(source), str(out)], switch)
            seconds[engine, size], memory[engine, size] = took, peak
            mark = f"<= {MOST_MEMORY:.0f} MB {verdict(peak <= MOST_MEMORY)}"
            if size == 10_000_000:
                mark = f"<= {MOST_SECONDS[engine]:.0f} s {verdict(took <= MOST_SECONDS[engine])}, {mark}"
            print(
                f"{size:>12,} {studies:>12,} {engine:<8} {took:>8.2f} {took / size * 1e6:>8.2f} {peak:>8.0f}   {mark}",
                flush=True,
            )
            out.unlink()
        source.unlink()
    for engine in ("kernel", "NumPy"):
        flat = [memory[engine, size] for size in sizes if size >= 100_000]
        large = [size for size in sizes if size >= 1_000_000]
        if len(large) > 1:
            a, b = large[0], large[-1]
            exponent = math.log(seconds[engine, b] / seconds[engine, a]) / math.log(b / a)
            print(
                f"{engine}: time grows with exponent {exponent:.3f}; <= {MOST_GROWTH} {verdict(exponent <= MOST_GROWTH)}"
            )
        if len(flat) > 1:
            moved = max(flat) / flat[0] - 1.0
            print(f"{engine}: peak memory moves by {moved:+.0%} from 1e5 on; <= {FLAT:.0%} {verdict(moved <= FLAT)}")


def cluster(folder: Path, size: int) -> None:
    """A real cluster of one, two and four workers, and the bytes that come out."""
    source, streamed = folder / "in.parquet", folder / "streamed.parquet"
    generate(source, size)
    spent([sys.executable, "-c", POOL, str(source), str(streamed)])
    for workers in (1, 2, 4):
        out = folder / f"dask{workers}.parquet"
        took, _ = spent([sys.executable, "-c", CLUSTER, str(source), str(out), str(workers)])
        same = filecmp.cmp(streamed, out, shallow=False)
        print(
            f"Dask LocalCluster, {workers} worker{'s' * (workers > 1)}, {size:,} analyses: {took:.2f} CPU s; "
            f"{'the same bytes as streamed' if same else 'OTHER BYTES than streamed'}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=float, default=1e6, help="analyses in the largest file (default 1e6)")
    parser.add_argument("--cluster", type=float, default=1e6, help="analyses sent to Dask (default 1e6; 0: none)")
    arguments = parser.parse_args()
    sizes = [10**power for power in range(4, 8) if 10**power <= arguments.largest]
    with tempfile.TemporaryDirectory(prefix="balm-streaming-") as name:
        growth(Path(name), sizes)
        if arguments.cluster:
            cluster(Path(name), int(arguments.cluster))


if __name__ == "__main__":
    main()
