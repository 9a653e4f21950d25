"""Tables of a network written to files: contributions of direct comparisons and of studies, a folder for CINeMA, a
summary of findings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from balm.actions.whole_file import whole_file
from balm.report.network_findings import findings_csv, findings_html, network_findings
from balm.review.certainty import cinema
from balm.review.certainty.of_network import rate_network
from balm.stats.network.contributions import Contributions
from balm.stats.network.network import Network
from balm.vocabulary.problems import InputError
from balm.vocabulary.spreadsheet_cell import harmless


def write_contributions(found: Contributions, path: str | Path, *, studies: bool = False) -> Path:
    """Contributions in per cent as CSV: a row an estimate, a column a direct comparison (or a study)."""
    return write_rows(path, *contribution_rows(found, studies=studies))


def contribution_rows(found: Contributions, *, studies: bool = False) -> tuple[list[str], list[list[str]]]:
    """Header and rows of :func:`write_contributions`."""
    names, values = (found.studies, found.by_study) if studies else (found.columns, found.values)
    rows = [[name, *(f"{100.0 * x:.10g}" for x in row)] for name, row in zip(found.rows, values.tolist(), strict=True)]
    return ["comparison", *names], rows


def write_rows(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A CSV file, whole or not at all; a name that a spreadsheet would run as a formula stands behind an apostrophe."""
    target = Path(path)
    with whole_file(target, "wb") as out:
        out.write(rows_as_csv(header, rows))
    return target


def rows_as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The bytes of :func:`write_rows`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for cells in (header, *rows):
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue().encode()


def cinema_files(
    fit: Network,
    *,
    risk_of_bias: Mapping[str, object],
    indirectness: Mapping[str, object],
    important: float,
    rule: str = "majority",
    arms: Mapping[str, Sequence[object]] | None = None,
    notes: Sequence[str] = (),
) -> dict[str, bytes]:
    """The files for CINeMA: data to upload, contributions to compare, proposals, and what a person must judge.

    risk_of_bias, indirectness : a word (low, unclear or high; 1 to 3; L, U, H) for each study by name.
    important : the smallest effect that matters, as people read it (0.8 for a ratio, 0.5 for a difference).
    arms      : columns ``study``, ``treatment`` and ``events, n`` or ``mean, sd, n``, for the forms with a row an arm
                and a row a comparison; without them the data are written as contrasts.
    notes     : what a person must know of these data, added to what is left to judge.
    """
    bias = cinema.levels_of("risk_of_bias", risk_of_bias, fit.contrasts.studies)
    direct = cinema.levels_of("indirectness", indirectness, fit.contrasts.studies)
    found = cinema.proposals(fit, bias, direct, important=important, rule=rule)
    tables = {"data-contrasts.csv": cinema.contrast_rows(fit, bias, direct)}
    if arms is not None:
        form = next((f for f, columns in cinema.ARM_FORMS.items() if set(columns) <= set(arms)), None)
        if form is None:
            raise InputError("arms for CINeMA need events and n, or mean, sd and n; leave them out to write contrasts")
        tables = {
            f"data-{shape}.csv": cinema.arm_rows(form, arms, fit.contrasts.studies, bias, direct, wide=shape == "wide")
            for shape in ("long", "wide")
        }
    shares = fit.contributions()
    files = {name: rows_as_csv(header, rows) for name, (header, rows) in tables.items()}
    files["contributions-of-comparisons.csv"] = rows_as_csv(*contribution_rows(shares))
    files["contributions-of-studies.csv"] = rows_as_csv(*contribution_rows(shares, studies=True))
    files["proposals.csv"] = rows_as_csv(*cinema.proposal_rows(found))
    said = cinema.to_judge(fit, found, important=important, rule=rule)
    files["to-judge.md"] = (said + "".join(f"\n- {note}\n" for note in notes)).encode()
    return files


def write_cinema(fit: Network, folder: str | Path, **options: Any) -> list[Path]:
    """The folder for CINeMA, with the files and options of :func:`cinema_files`.

    Nothing is written where anything is wrong; files of the same names are replaced.
    """
    return write_folder(cinema_files(fit, **options), folder)


def write_folder(files: Mapping[str, bytes], folder: str | Path) -> list[Path]:
    """The files in a folder, which is made where it is not there; each whole or not at all."""
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{str(target)!r} cannot be a folder: {error.strerror or error}") from None
    for name, data in files.items():
        with whole_file(target / name, "wb") as out:
            out.write(data)
    return [target / name for name in files]


def write_network_findings(
    fit: Network,
    path: str | Path,
    *,
    risk_of_bias: Mapping[str, object],
    important: float,
    title: str = "Summary of findings",
    baseline_risk: float | None = None,
    start: str = "high",
    decided: Mapping[str, Mapping[str, object]] | None = None,
) -> Path:
    """The summary of findings of a network with the certainty of each estimate, as .html or .csv.

    What is proposed and what people may decide is told by :func:`balm.review.certainty.of_network.rate_network`.
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".csv"):
        raise InputError(f"a summary of findings of a network is written as .html or .csv; got {target.name!r}")
    ratings = rate_network(fit, risk_of_bias=risk_of_bias, important=important, start=start, decided=decided)
    table = network_findings(fit, ratings, title=title, baseline_risk=baseline_risk)
    with whole_file(target, "w", encoding="utf-8", newline="") as out:
        out.write(findings_csv(table) if target.suffix.lower() == ".csv" else findings_html(table))
    return target
