"""What was agreed, as rows of the package: each with where it was read, how, and whether it may count as verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from balm.review.extraction.differences import ONE_PERSON, SETTLED, Cell
from balm.review.extraction.fields import ARMS, CONTRASTS, IDENTITY, REMOVED, RESULTS, ROW, SECTIONS, STUDIES, label
from balm.review.extraction.sheets import Given, Sheet
from balm.vocabulary.problems import InputError, Problem

#: Said of a value that one person read and nobody repeated.
ONE_EXTRACTOR = "one extractor"


def agreed_rows(
    study: str,
    cells: Iterable[Cell],
    sheets: Mapping[str, Sheet],
    standing_rows: Mapping[tuple[str, str], Mapping[str, str]],
    *,
    report: str = "",
) -> list[tuple[str, dict[str, str]]]:
    """(table, whole row as text) for each row that was agreed, ready to be put into the package.

    ``standing_rows``: rows of the package as they stand, by table and the id of the row; cells that nobody extracted
    stay as they are. :class:`InputError` while a cell is open. ``verified`` is ``yes`` where the row names its page,
    and for a study with a number that does; ``how_read`` is ``reported`` where every value is as printed and two people
    agreed, else it says what is different.
    """
    grouped: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if cell.open:
            raise InputError(
                Problem(f"{cell.key} {label(cell.column)} differs and is not settled yet", file=cell.table)
            )
        grouped.setdefault((cell.table, cell.key), []).append(cell)
    order = list(SECTIONS)
    rows = []
    for (table, key), own in sorted(grouped.items(), key=lambda item: order.index(item[0][0])):
        if any(c.column == ROW and c.value == REMOVED for c in own):
            continue
        given = [sheets[who][table, key] for who in sheets if (table, key) in sheets[who]]
        own = [c for c in own if c.column != ROW]
        before = dict(standing_rows.get((table, row_id(table, study, key)), {}))
        rows.append((table, _row(table, study, key, own, given, before, report)))
    return _with_study(study, rows, standing_rows, report)


def _with_study(
    study: str,
    rows: list[tuple[str, dict[str, str]]],
    standing_rows: Mapping[tuple[str, str], Mapping[str, str]],
    report: str,
) -> list[tuple[str, dict[str, str]]]:
    """The rows with the study's own, which counts as verified with the first number that names its page: whoever read
    the number read it in a report of this study."""
    read = [row for table, row in rows if table in (RESULTS, CONTRASTS) and row["verified"] == "yes"]
    own = next((row for table, row in rows if table == STUDIES), None)
    if not read or (own or standing_rows.get((STUDIES, study), {})).get("verified") == "yes":
        return rows
    if own is None:
        own = {name: value for name, value in standing_rows.get((STUDIES, study), {}).items() if value}
        rows = [(STUDIES, own), *rows]
    own |= {"study": study, "verified": "yes"} | ({"report": report} if report and not own.get("report") else {})
    own["source"] = own.get("source") or read[0]["source"]
    return rows


def row_id(table: str, study: str, key: str) -> str:
    """What names the row in its table: results and contrasts have ids of the whole review."""
    return f"{study}-{key}" if table in (RESULTS, CONTRASTS) else key


def _row(
    table: str,
    study: str,
    key: str,
    cells: Iterable[Cell],
    given: Iterable[Mapping[str, Given]],
    before: Mapping[str, str],
    report: str,
) -> dict[str, str]:
    cells, given = list(cells), list(given)
    row = dict(before) | {c.column: c.value for c in cells}
    row["study"] = study
    if table in (RESULTS, CONTRASTS):
        row["result" if table == RESULTS else "contrast"] = row_id(table, study, key)
        for name in IDENTITY[table]:
            row.setdefault(name, next((g[name].value for g in given if name in g), ""))
        row["usable"] = row.get("usable") or "yes"
        row["how_read"] = how_read(cells, given)
    elif table == ARMS:
        row["arm"] = key
        row["label"] = row.get("label") or key
    row["report"] = row.get("report") or report
    pages = _joined(g[name].value for g in given for name in ("page",) if name in g)
    read_on = _joined([*_pages_of(cells), *([pages] if pages else [])])
    if table in (RESULTS, CONTRASTS):
        row["page"] = pages
        row["quote"] = _joined(g["quote"].value for g in given if "quote" in g)
    if read_on:
        row["source"] = _joined(
            [*before.get("source", "").split(" ; "), *(_place(p, row["report"]) for p in read_on.split(" ; "))]
        )
    notes = _joined([*before.get("notes", "").split(" ; "), *(g["notes"].value for g in given if "notes" in g)])
    if notes:
        row["notes"] = notes
    row["verified"] = "yes" if read_on or (table == STUDIES and before.get("verified") == "yes") else "no"
    return {name: value for name, value in row.items() if value}


def how_read(cells: Iterable[Cell], given: Iterable[Mapping[str, Given]]) -> str:
    """``reported``, or what is different about how values were read, and that only one person read them."""
    cells = list(cells)
    ways: dict[str, list[str]] = {}
    for cell in cells:
        for g in cell.given.values():
            if g is not None and g.value == cell.value and g.how_read not in ("", "reported"):
                names = ways.setdefault(g.how_read, [])
                if cell.column not in names:
                    names.append(cell.column)
    said = [f"{way}: {', '.join(names)}" for way, names in ways.items()] or ["reported"]
    if any(c.state == ONE_PERSON for c in cells) and not any(c.state == SETTLED for c in cells):
        said.append(ONE_EXTRACTOR)
    return "; ".join(said)


def _pages_of(cells: Iterable[Cell]) -> list[str]:
    """Pages given beside single values that became the agreed one."""
    return [g.page for c in cells for g in c.given.values() if g is not None and g.page and g.value == c.value]


def _place(page: str, report: str) -> str:
    return f"{report}, {page}" if report else page


def _joined(texts: Iterable[str]) -> str:
    return " ; ".join(dict.fromkeys(t.strip() for t in texts if t and t.strip()))
