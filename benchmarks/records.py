"""Reading records against rispy, nbib and bibtexparser: the same file, one run, interleaved processes, CPU seconds.

    python benchmarks/records.py [--records 20000] [--rounds 3] [--long 1000000] [--dialects FOLDER]

Files are made here from a fixed seed. Peers live in ``.venv-bench-records``, made from
``benchmarks/requirements-records.lock``. ``balm`` turns every record into its model (identifiers found, names and dates
read); the peers hand back what stands in the tags. Memory is each process's peak.

Measured with ``--long 1000000`` (2026-11-22, Python 3.11, two busy cores), the process's peak in MiB at 100,000 and at
1,000,000 records: RIS 32 and 32 (1.84 GB, 39 us a record), NBIB 37 and 37 (2.35 GB), CSV 43 and 44 (1.53 GB).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
VENV = CHECKOUT / ".venv-bench-records"

OURS = """
import json, resource, sys
from balm.actions.records import read_records, stream_records
how, path = sys.argv[1:]
n = sum(1 for _ in stream_records(path)) if how == "stream" else len(read_records(path))
print(json.dumps({"n": n, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
PEER = """
import json, resource, sys
how, path = sys.argv[1:]
if how == "ris":
    import rispy
    with open(path, encoding="utf-8", errors="replace") as f:
        n = len(rispy.load(f))
elif how == "nbib":
    import nbib
    n = len(nbib.read_file(path))
else:
    import bibtexparser
    n = len(bibtexparser.parse_file(path).entries)
print(json.dumps({"n": n, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
PEERS = {"ris": "rispy", "nbib": "nbib", "bib": "bibtexparser"}
#: What the project promises: so many times the peer's speed.
PROMISED = {"ris": 2.0, "nbib": 4.0, "bib": 4.0}
_VOCABULARY = (
    "ketamine infusion chronic pain randomised placebo controlled trial of the in with and for patients adults "
    "neuropathic intravenous dose response effect mechanism outcome follow up safety analgesia opioid surgery"
)
WORDS = _VOCABULARY.split()
#: Both sides start from compiled modules, as installed packages do; the first round makes them and is not counted.
BYTECODE = Path(tempfile.gettempdir()) / "balm-benchmark-bytecode"


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words)).capitalize()


def ris(path: Path, count: int) -> None:
    """RIS as Ovid and EndNote write it: some 1.7 kB and 30 lines a record."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as out:
        for i in range(count):
            lines = ["TY  - JOUR", f"ID  - {i}", f"TI  - {_text(rng, 14)}"]
            lines += [f"AU  - Name{rng.randrange(9999)}, {rng.choice('ABCDE')}. M." for _ in range(6)]
            lines += [f"PY  - {1980 + i % 45}", "JF  - The Journal of Pain Research", "JA  - J Pain Res"]
            lines += [f"VL  - {i % 90}", f"IS  - {i % 12}", "SP  - 101", "EP  - 119", "SN  - 0304-3959"]
            lines += [f"AB  - {_text(rng, 170)}", f"DO  - 10.1016/j.pain.{i}", f"UR  - https://example.org/{i}"]
            lines += [f"KW  - {_text(rng, 2)}" for _ in range(6)]
            out.write("\n".join([*lines, "LA  - English", "DB  - Medline", "ER  - ", "", ""]))


def nbib(path: Path, count: int) -> None:
    """PubMed's own format, wrapped at 80 characters."""
    rng = random.Random(2)
    import textwrap

    with path.open("w", encoding="utf-8") as out:
        for i in range(count):
            lines = [f"PMID- {i + 1000000}", "OWN - NLM", "STAT- MEDLINE", "IS  - 0304-3959 (Print)", f"VI  - {i % 90}"]
            lines += [f"IP  - {i % 12}", f"DP  - {1980 + i % 45} Mar", "PG  - 101-19"]
            for tag, words in (("TI  - ", 14), ("AB  - ", 170)):
                lines += (tag + "\n      ".join(textwrap.wrap(_text(rng, words), 76))).split("\n")
            for _ in range(6):
                name = f"Name{rng.randrange(9999)}"
                lines += [f"FAU - {name}, Mary", f"AU  - {name} M", "AD  - Department of Anaesthesia, Somewhere, UK."]
            lines += [
                "LA  - eng",
                "PT  - Journal Article",
                "TA  - Pain",
                "JT  - Pain",
                f"LID - 10.1016/j.pain.{i} [doi]",
            ]
            lines += [f"MH  - {_text(rng, 2)}" for _ in range(8)]
            out.write("\n".join([*lines, "SO  - Pain. 1999;1:101-19.", "", ""]))


def bib(path: Path, count: int) -> None:
    """BibTeX with braces, accents, quotes and a macro."""
    rng = random.Random(3)
    with path.open("w", encoding="utf-8") as out:
        out.write('@string{pain = "Pain"}\n\n')
        for i in range(count):
            names = " and ".join(f'M{{\\"u}}ller{rng.randrange(999)}, {rng.choice("ABCDE")}. M.' for _ in range(6))
            out.write(
                f"@article{{key{i},\n  author = {{{names}}},\n  title = {{{{{_text(rng, 14)}}}}},\n  journal = pain,\n"
                f"  year = {1980 + i % 45},\n  volume = {{{i % 90}}},\n  number = {{{i % 12}}},\n"
                f"  pages = {{101--119}},\n"
                f'  doi = {{10.1016/j.pain.{i}}},\n  abstract = "{_text(rng, 170)}",\n'
                f"  keywords = {{{', '.join(_text(rng, 2) for _ in range(6))}}},\n}}\n\n"
            )


def table(path: Path, count: int) -> None:
    """CSV with the header of a Scopus export."""
    rng = random.Random(4)
    with path.open("w", encoding="utf-8", newline="") as out:
        write = csv.writer(out).writerow
        write(["Authors", "Title", "Year", "Source title", "Volume", "Issue", "DOI", "Link", "Abstract", "EID"])
        for i in range(count):
            names = "; ".join(f"Name{rng.randrange(9999)}, {rng.choice('ABCDE')}. M." for _ in range(6))
            row = [names, _text(rng, 14), 1980 + i % 45, "Journal of Pain Research", i % 90, i % 12]
            write([*row, f"10.1016/j.pain.{i}", f"https://example.org/{i}", _text(rng, 170), f"2-s2.0-{i}"])


def long(path: Path, part: Path, times: int) -> None:
    """``part`` written ``times`` over; of a table, its header once."""
    with part.open("rb") as source, path.open("wb") as out:
        head = source.readline() if part.suffix == ".csv" else b""
        body = source.read()
        out.write(head)
        for _ in range(times):
            out.write(body)


def streamed(folder: Path, counts: list[int]) -> None:
    """Print the peak of memory of reading ever longer files as a stream."""
    print("\n| streamed | records | GB | CPU s | us a record | peak MiB |\n|---|---|---|---|---|---|")
    for kind, make in (("ris", ris), ("nbib", nbib), ("csv", table)):
        part, path = folder / f"part.{kind}", folder / f"long.{kind}"
        make(part, 10_000)
        for count in counts:
            long(path, part, count // 10_000)
            got, spent = timed([sys.executable, "-c", OURS, "stream", str(path)])
            size = path.stat().st_size / 1e9
            shown = f"{size:.2f} | {spent:.1f} | {spent / got['n'] * 1e6:.0f} | {got['mib']:.0f}"
            print(f"| {kind} | {int(got['n']):,} | {shown} |", flush=True)
            path.unlink()
        part.unlink()


#: A real export is written so often that its file is of this size.
DIALECT_BYTES = 20_000_000


def dialects(folder: Path, samples: Path, peer: str, rounds: int) -> None:
    """Print a row for every RIS file in ``samples``, written many times over, against rispy on the same bytes."""
    print("\n| dialect | records | stream | list | rispy | rispy counts | stream is | list is |")
    print("|---|---|---|---|---|---|---|---|")
    path = folder / "dialect.ris"
    for sample in sorted((*samples.rglob("*.ris"), *samples.rglob("*.ris.gz"))):
        data = sample.read_bytes()
        data = gzip.decompress(data) if sample.suffix == ".gz" else data
        data = data.removeprefix(b"\xef\xbb\xbf").rstrip() + b"\n\n"
        path.write_bytes(data * max(1, DIALECT_BYTES // len(data)))
        commands = {
            "stream": [sys.executable, "-c", OURS, "stream", str(path)],
            "list": [sys.executable, "-c", OURS, "list", str(path)],
            "peer": [peer, "-c", PEER, "ris", str(path)],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        counts: dict[str, int] = {}
        for _ in range(rounds):
            for name, command in commands.items():
                try:
                    got, spent = timed(command)
                except RuntimeError:
                    got, spent = {"n": 0}, float("nan")
                counts[name] = int(got["n"])
                seconds[name].append(spent)
        s = {name: statistics.median(values) for name, values in seconds.items()}
        print(
            f"| {sample.parent.name}/{sample.name} | {counts['stream']:,} | {s['stream']:.2f} | {s['list']:.2f} "
            f"| {s['peer']:.2f} | {counts['peer']:,} | {s['peer'] / s['stream']:.2f}x | {s['peer'] / s['list']:.2f}x |",
            flush=True,
        )


def peers_python() -> Path:
    """The interpreter of the peers' environment, made if need be."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        lock = HERE / "requirements-records.lock"
        pip = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
        subprocess.run(pip, check=True)
    return python


def timed(command: list[str]) -> tuple[dict[str, float], float]:
    """One process: its JSON line and its CPU seconds."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(BYTECODE)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")
        out.seek(0)
        return json.loads(out.read().strip().splitlines()[-1]), usage.ru_utime + usage.ru_stime


def main() -> int:
    """Print the table; status 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", type=int, default=0, help="also stream files of so many records, and a tenth of it")
    parser.add_argument("--dialects", type=Path, help="also read every RIS file of this folder, written many times")
    arguments = parser.parse_args()
    peer = str(peers_python())
    kept = True
    print(f"{arguments.records:,} records; median CPU seconds of {arguments.rounds} interleaved rounds; peak MiB\n")
    print("| file | MB | stream | MiB | list | MiB | peer | s | MiB | stream is | list is | promised |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in (("ris", ris), ("nbib", nbib), ("bib", bib)):
            path = Path(folder) / f"made.{kind}"
            make(path, arguments.records)
            commands = {
                "stream": [sys.executable, "-c", OURS, "stream", str(path)],
                "list": [sys.executable, "-c", OURS, "list", str(path)],
                "peer": [peer, "-c", PEER, kind, str(path)],
            }
            seconds: dict[str, list[float]] = {name: [] for name in commands}
            memory: dict[str, float] = {}
            for turn in range(arguments.rounds + 1):
                for name, command in commands.items():
                    got, spent = timed(command)
                    if got["n"] != arguments.records:
                        raise RuntimeError(f"{name} read {got['n']} of {arguments.records} records of {kind}")
                    if turn:
                        seconds[name].append(spent)
                    memory[name] = got["mib"]
            s = {name: statistics.median(values) for name, values in seconds.items()}
            ratios = s["peer"] / s["stream"], s["peer"] / s["list"]
            kept &= min(ratios) >= PROMISED[kind]
            print(
                f"| {kind} | {path.stat().st_size / 1e6:.0f} | {s['stream']:.2f} | {memory['stream']:.0f} "
                f"| {s['list']:.2f} | {memory['list']:.0f} | {PEERS[kind]} | {s['peer']:.2f} | {memory['peer']:.0f} "
                f"| {ratios[0]:.1f}x | {ratios[1]:.1f}x | {PROMISED[kind]:.0f}x |"
            )
            path.unlink()
        if arguments.dialects:
            dialects(Path(folder), arguments.dialects, peer, arguments.rounds)
        if arguments.long:
            streamed(Path(folder), [max(arguments.long // 10, 10_000), arguments.long])
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
