"""Tables of a network written to files: contributions of direct comparisons and of studies."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from balm.actions.whole_file import whole_file
from balm.stats.network.contributions import Contributions


def write_contributions(found: Contributions, path: str | Path, *, studies: bool = False) -> Path:
    """Contributions in per cent as CSV: a row an estimate, a column a direct comparison (or a study)."""
    names, values = (found.studies, found.by_study) if studies else (found.columns, found.values)
    rows = ([name, *(f"{100.0 * x:.10g}" for x in row)] for name, row in zip(found.rows, values.tolist(), strict=True))
    return write_rows(path, ["comparison", *names], rows)


def write_rows(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A CSV file, whole or not at all."""
    target = Path(path)
    with whole_file(target, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return target
