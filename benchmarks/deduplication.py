"""Finding duplicates against bib-dedupe and splink: the same records, one run, interleaved processes.

    python benchmarks/deduplication.py [--records 2000] [--rounds 1] [--scale 100000 1000000] [--labelled FOLDER]

Records with known duplicates come from ``validation/deduplication/generate.py`` under a fixed seed; each tool gets them
in its own layout and reads them before the clock starts. Peers live in ``.venv-bench-deduplication``, made from
``benchmarks/requirements-deduplication.lock``. Sensitivity is the share of surplus records found; false merges are the
works beyond the first in a cluster. CPU seconds include the processes a tool starts. splink's comparisons and blocking rules are ours to blame; an expert may tune it better.

``--labelled`` counts the tools on the published labelled sets (folders as ``validation/deduplication/labelled.py`` reads
them): the sets of bib-dedupe in its own files, the set of ASySD turned into its columns.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
VENV = CHECKOUT / ".venv-bench-deduplication"
COLUMNS = (
    "ID",
    "ENTRYTYPE",
    "title",
    "author",
    "year",
    "journal",
    "booktitle",
    "volume",
    "number",
    "pages",
    "doi",
    "abstract",
)

OURS = """
import csv, json, resource, sys, time
sys.path.insert(0, sys.argv[3])
from generate import exports
from balm.review.deduplication.duplicates import find_duplicates
records = [r for r, _ in exports(int(sys.argv[1]), seed=int(sys.argv[2]))]
held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
wall, cpu = time.perf_counter(), time.process_time()
found = find_duplicates(records)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
groups = [list(g.ids) for g in found.groups]
print(json.dumps({"wall": wall, "cpu": cpu, "held": held, "mib": peak,
    "review": len(found.review), "groups": groups}))
"""
LABELLED = """
import json, sys, time
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from labelled import clustered
from balm.review.deduplication.duplicates import find_duplicates
records, works = clustered(Path(sys.argv[1]), sys.argv[2])
wall, cpu = time.perf_counter(), time.process_time()
found = find_duplicates(records)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
name = {r.id: f"r{k}" for k, r in enumerate(records)}
print(json.dumps({"wall": wall, "cpu": cpu, "groups": [[name[a] for a in g.ids] for g in found.groups],
    "pairs": [[name[p.record_1], name[p.record_2]] for p in found.pairs], "review": len(found.review),
    "truth": {name[r.id]: w for r, w in zip(records, works)}}))
"""
BIB_DEDUPE = """
import json, resource, sys, time
import pandas as pd
from bib_dedupe.bib_dedupe import block, cluster, match, prep
records = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False)
wall, cpu = time.perf_counter(), time.process_time()
prepared = prep(records)
matched = match(block(prepared))
groups = cluster(matched)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
cpu += resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime + resource.getrusage(resource.RUSAGE_CHILDREN).ru_stime
print()
print(json.dumps({"wall": wall, "cpu": cpu, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "groups": [list(g) for g in groups]}))
"""
SPLINK = """
import json, re, resource, sys, time, logging
import pandas as pd
logging.disable(logging.CRITICAL)
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
import splink.comparison_library as cl
raw = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False)
wall, cpu = time.perf_counter(), time.process_time()
clean = lambda s: re.sub(r"[^a-z0-9]+", " ", s.lower()).strip() or None
t = pd.DataFrame({"unique_id": raw["ID"], "title": raw["title"].map(clean), "author": raw["author"].map(clean),
    "journal": raw["journal"].map(clean), "year": raw["year"].replace("", None),
    "volume": raw["volume"].replace("", None),
    "page": raw["pages"].str.extract(r"(\\d+)", expand=False), "doi": raw["doi"].str.lower().replace("", None)})
t["start"] = t["title"].str[:26]
settings = SettingsCreator(link_type="dedupe_only",
    comparisons=[cl.JaroWinklerAtThresholds("title", [0.98, 0.93]), cl.JaroWinklerAtThresholds("author", [0.9, 0.8]),
        cl.JaroWinklerAtThresholds("journal", [0.9]), cl.ExactMatch("year"), cl.ExactMatch("volume"),
        cl.ExactMatch("page"), cl.ExactMatch("doi")],
    blocking_rules_to_generate_predictions=[block_on("start"), block_on("doi"), block_on("volume", "page", "year")])
api = DuckDBAPI()
try:
    linker = Linker(t, settings, db_api=api)
except TypeError:
    linker = Linker(api.register(t), settings)
sure = block_on("doi") if t["doi"].notna().mean() > 0.2 else block_on("volume", "page", "year")
linker.training.estimate_probability_two_random_records_match([sure], recall=0.6)
linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
linker.training.estimate_parameters_using_expectation_maximisation(sure)
linker.training.estimate_parameters_using_expectation_maximisation(block_on("start"))
predictions = linker.inference.predict(threshold_match_probability=0.9999)
clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold_match_probability=0.9999)
frame = clusters.as_pandas_dataframe()
groups = [list(g) for _, g in frame.groupby("cluster_id")["unique_id"] if len(g) > 1]
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
cpu += resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime + resource.getrusage(resource.RUSAGE_CHILDREN).ru_stime
print()
print(json.dumps({"wall": wall, "cpu": cpu, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "groups": groups}))
"""


def generated(n: int, seed: int, path: Path) -> dict[str, int]:
    """The records in bib-dedupe's layout; the work of each."""
    sys.path.insert(0, str(CHECKOUT / "validation" / "deduplication"))
    from generate import exports

    truth = {}
    with path.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(COLUMNS)
        for r, work in exports(n, seed=seed):
            truth[r.id] = work
            meeting = r.type == "conference"
            journal, booktitle = ("", r.journal) if meeting else (r.journal, "")
            rows.writerow(
                (r.id, "inproceedings" if meeting else "article", r.title, " and ".join(r.authors), r.year, journal, booktitle,
                 r.volume, r.issue, r.pages, r.doi, r.abstract)
            )  # fmt: skip
    return truth


def scores(groups: list[list[str]], truth: dict[str, int]) -> tuple[float, int]:
    """Sensitivity and false merges of records."""
    right = wrong = 0
    for group in groups:
        works = Counter(truth[a] for a in group)
        right += sum(n - 1 for n in works.values())
        wrong += len(works) - 1
    return right / sum(n - 1 for n in Counter(truth.values()).values()), wrong


def native(folder: Path, name: str, path: Path) -> None:
    """A labelled set as bib-dedupe reads it, records in the order of the file and called r0, r1, ..."""
    source = next(f for f in sorted((folder / name).iterdir()) if f.name.startswith(("records_pre", "labelled_test")))
    opened = gzip.open if source.suffix == ".gz" else open
    encoding = "latin-1" if source.name.startswith("labelled_test") else "utf-8-sig"
    with opened(source, "rt", encoding=encoding, newline="") as handle:
        rows = list(csv.DictReader(handle))
    with path.open("w", newline="", encoding="utf-8") as handle:
        out = csv.DictWriter(handle, COLUMNS, extrasaction="ignore", restval="")
        out.writeheader()
        for k, row in enumerate(rows):
            plain = {key.strip().lower(): value for key, value in row.items() if key}
            kind = plain.get("entrytype") or "article"
            plain["number"] = plain.get("number") or plain.get("issue", "")
            author = plain.get("author", "")
            if encoding == "latin-1":
                author = author.replace(";", " and ")
            cells = {c: plain.get(c.lower(), "") for c in COLUMNS}
            out.writerow(cells | {"ID": f"r{k}", "ENTRYTYPE": kind, "author": author})


def labelled_table(folder: Path, python: Path | str) -> None:
    """Sensitivity and false merges of every tool on every labelled set."""
    generator = CHECKOUT / "validation" / "deduplication"
    sys.path.insert(0, str(generator))
    from labelled import CLUSTERED

    print("| set | tool | CPU s | sensitivity | false merges | with questions |\n|---|---|---|---|---|---|", flush=True)
    for name in CLUSTERED:
        if not (folder / name).is_dir():
            continue
        ours = child(sys.executable, LABELLED, folder, name, generator)
        sensitivity, wrong = scores(ours["groups"], ours["truth"])
        both, _ = scores(joined(ours["pairs"]), ours["truth"])
        print(
            f"| {name} | balm | {ours['cpu']:.2f} | {sensitivity:.4f} | {wrong} | {both:.4f} ({ours['review']}) |",
            flush=True,
        )
        with tempfile.TemporaryDirectory() as place:
            table = Path(place) / "records.csv"
            native(folder, name, table)
            for tool, code in (("bib-dedupe", BIB_DEDUPE), ("splink", SPLINK)):
                try:
                    run = child(python, code, table)
                except (RuntimeError, OSError, ValueError) as fault:
                    print(f"| {name} | {tool} | did not run: {str(fault)[:80]} | | | |", flush=True)
                    continue
                sensitivity, wrong = scores(run["groups"], ours["truth"])
                print(f"| {name} | {tool} | {run['cpu']:.1f} | {sensitivity:.4f} | {wrong} | |", flush=True)


def joined(pairs: list[list[str]]) -> list[list[str]]:
    """Records joined by any chain of pairs."""
    parent: dict[str, str] = {}

    def root(a: str) -> str:
        while parent.setdefault(a, a) != a:
            a = parent[a]
        return a

    for one, two in pairs:
        parent[root(one)] = root(two)
    groups: dict[str, list[str]] = defaultdict(list)
    for a in list(parent):
        groups[root(a)].append(a)
    return list(groups.values())


def child(python: Path | str, code: str, *words: object) -> dict:
    """Run one tool in its own process; the last line it prints."""
    done = subprocess.run(
        [str(python), "-c", code, *map(str, words)], capture_output=True, text=True, cwd=tempfile.gettempdir()
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"status {done.returncode}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def peers() -> Path:
    """The Python of the peers' environment, made here when it is missing."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        lock = HERE / "requirements-deduplication.lock"
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)], check=True
        )
    return python


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scale", type=int, nargs="*", default=[100_000], help="sizes for balm alone")
    parser.add_argument("--python", help="a Python that has the peers, instead of making an environment")
    parser.add_argument("--labelled", type=Path, metavar="FOLDER", help="count on the labelled sets in FOLDER instead")
    arguments = parser.parse_args()
    python = arguments.python or peers()
    if arguments.labelled:
        labelled_table(arguments.labelled, python)
        return
    generator = CHECKOUT / "validation" / "deduplication"
    runs: dict[str, list[dict]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "records.csv"
        truth = generated(arguments.records, 11, table)
        for _ in range(arguments.rounds):
            runs["balm"].append(child(sys.executable, OURS, arguments.records, 11, generator))
            for name, code in (("bib-dedupe", BIB_DEDUPE), ("splink", SPLINK)):
                try:
                    runs[name].append(child(python, code, table))
                except (RuntimeError, OSError, ValueError) as fault:
                    print(f"{name}: did not run ({fault})")
    print(f"{arguments.records:,} generated records, {arguments.rounds} round(s), load {os.getloadavg()[0]:.1f}")
    print(
        "| tool | wall s | CPU s | ratio of CPU | sensitivity | false merges | peak MiB |\n|---|---|---|---|---|---|---|"
    )
    base = statistics.median(r["cpu"] for r in runs["balm"])
    for name, all_runs in runs.items():
        wall, cpu = (statistics.median(r[k] for r in all_runs) for k in ("wall", "cpu"))
        sensitivity, wrong = scores(all_runs[0]["groups"], truth)
        peak = max(r["mib"] for r in all_runs)
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {cpu / base:.0f} | {sensitivity:.4f} | {wrong} | {peak:.0f} |")
    for n in arguments.scale:
        run = child(sys.executable, OURS, n, 5, generator)
        with tempfile.TemporaryDirectory() as folder:
            sensitivity, wrong = scores(run["groups"], generated(n, 5, Path(folder) / "records.csv"))
        print(
            f"balm, {n:,} records: {run['wall']:.1f} s wall, {run['cpu']:.1f} s CPU, peak {run['mib']:.0f} MiB "
            f"({run['held']:.0f} of them the records), sensitivity {sensitivity:.4f}, {wrong} false merges, "
            f"{run['review']:,} questions"
        )


if __name__ == "__main__":
    main()
