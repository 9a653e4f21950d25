"""What RevMan Web imports of a review package: four CSV files, and the RIS of the studies' references.

Study information, study arms, study results and risk of bias have the headings of RevMan Web's own data packages; one
row is a study, an arm, an arm's result, a study's judgements. The ``NS`` field of the RIS carries the study's name, by
which RevMan joins references and data: the RIS goes in first.  Cells that a spreadsheet would run as a formula get an
apostrophe before them.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from math import log
from typing import Any

from balm.review.contrasts import timepoint_of
from balm.review.package import Package
from balm.review.plan import RATIOS
from balm.vocabulary.evidence import Result, Study
from balm.vocabulary.spreadsheet_cell import safe_cell

ARMS = ("Study", "Arm", "Description", "Intervention")
RESULTS = (
    "Study", "Outcome", "Data type", "Effect measure", "Arm", "Reference arm", "Sample size", "Cases", "Mean", "SD",
    "SE", "Variance", "CI level", "CI start", "CI end", "Exp mean", "Exp CI start", "Exp CI end", "t-test", "z-test",
    "P value", "Covariance method", "Covariance", "Other arm 1", "Other arm 2", "Correlation arm 1",
    "Correlation arm 2", "Correlation", "Other mean", "Other SE", "Other variance", "Other CI level", "Other CI start",
    "Other CI end", "Other exp mean", "Other exp CI start", "Other exp CI end", "Other t-test", "Other z-test",
    "Other P value", "Footnotes",
)  # fmt: skip
INFORMATION = (
    "Study",
    "Year",
    "Data source",
    "Char: Methods",
    "Char: Participants",
    "Char: Interventions",
    "Char: Outcomes",
    "Char: Notes",
)
_JUDGEMENTS = {
    "low": "Low risk",
    "high": "High risk",
    "unclear": "Unclear risk",
    "some concerns": "Some concerns",
}
#: Measures of effects entered between two arms, by RevMan's words; others keep the words of the package.
_MEASURES = {"IRR": "Rate ratio", "ROM": "Ratio of means", "GEN": "Difference"}


def export_files(package: Package) -> dict[str, str]:
    """The five files: name -> text.

    Only studies that are included are exported: RevMan imports data of no others. Results that are not usable stay
    behind; a median, a range or a percentage has no place in RevMan's tables.  A study with further lines
    (``entry_of``) is one study; the arms of its second line end in "(entry 2)".
    """
    name = package.meta.id or "review"
    studies = [s for s in package.studies if s.scope in ("included", "single-arm", "sensitivity")]
    entries = _entries(studies)
    # RevMan joins the files by this name: two studies of one name would become one
    known = {s.study: " ".join(s.label.split()) for s in studies if s.study not in entries}
    alike = Counter(known.values())
    known = {study: f"{label} ({study})" if alike[label] > 1 else label for study, label in known.items()}
    labels = known | {study: known[of] for study, (of, _) in entries.items() if of in known}
    studies = [s for s in studies if s.study in known]
    arms = {(a.study, a.arm): a.label for a in package.arms}
    counts = Counter((study, label) for (study, _), label in arms.items())
    arm_names = {
        k: (f"{label} ({k[1]})" if counts[k[0], label] > 1 else label)
        + (f" (entry {entries[k[0]][1]})" if k[0] in entries else "")
        for k, label in arms.items()
    }
    information = [
        {
            "Study": labels[s.study],
            "Year": s.year,
            "Data source": "PUB",
            "Char: Methods": s.design_text or (s.design if s.design != "not stated" else ""),
            "Char: Participants": s.condition,
            "Char: Interventions": "; ".join(
                x for x in dict.fromkeys(a.regimen or a.label for a in package.arms if a.study == s.study) if x
            )
            or s.comparator,
            "Char: Outcomes": s.main_outcome,
            "Char: Notes": s.notes,
        }
        for s in studies
    ]
    arm_rows = [
        {
            "Study": labels[a.study],
            "Arm": arm_names[a.study, a.arm],
            "Description": a.regimen,
            "Intervention": a.drug or a.label,
        }
        for a in package.arms
        if a.study in labels
    ]
    return {
        f"{name}-study-information.csv": _csv(INFORMATION, information),
        f"{name}-study-arms.csv": _csv(ARMS, arm_rows),
        f"{name}-study-results.csv": _csv(RESULTS, _results(package, labels, arm_names)),
        f"{name}-risk-of-bias.csv": _bias(package, labels),
        f"{name}-included.ris": _ris(package, known),
    }


def _entries(studies: Iterable[Study]) -> dict[str, tuple[str, int]]:
    """Further lines of a study: the study each belongs to, and its number, from 2."""
    found: dict[str, tuple[str, int]] = {}
    lines: Counter[str] = Counter()
    for s in studies:
        if s.entry_of and s.entry_of != s.study:
            lines[s.entry_of] += 1
            found[s.study] = (s.entry_of, lines[s.entry_of] + 1)
    return found


def _results(
    package: Package, labels: Mapping[str, str], arms: Mapping[tuple[str, str], str]
) -> Iterable[dict[str, Any]]:
    names = {o.id: o.name for o in package.meta.outcomes}
    for r in package.results:
        if r.study not in labels or not r.usable or (r.study, r.arm) not in arms:
            continue
        row = _numbers(r)
        if not row:
            continue
        when = f" at {at}" if (at := timepoint_of(r)) else ""
        scale = f" ({package.meta.scale(r.scale).name})" if r.scale and when else ""
        yield {
            "Study": labels[r.study],
            "Outcome": names.get(r.outcome, r.outcome) + when + scale,
            "Arm": arms[r.study, r.arm],
            "Footnotes": "; ".join(x for x in (r.notes, r.quote) if x),
            **row,
        }
    for c in package.contrasts:
        if c.study not in labels or c.estimate is None or not {(c.study, c.arm_1), (c.study, c.arm_2)} <= set(arms):
            continue
        code = str(c.measure or "").strip()
        if not code or not c.usable:
            continue
        ratio = code.upper() in RATIOS and c.estimate > 0
        effect: dict[str, Any] = {"Mean": c.estimate, "SE": c.se, "CI start": c.ci_low, "CI end": c.ci_high}
        if ratio:  # the mean is that of the logarithm, and its exponential has columns of its own
            effect = {"Mean": log(c.estimate), "SE": c.se, "Exp mean": c.estimate}
            effect |= {"Exp CI start": c.ci_low, "Exp CI end": c.ci_high}
        yield {
            "Study": labels[c.study],
            "Outcome": names.get(c.outcome, c.outcome) + (f" at {at}" if (at := timepoint_of(c)) else ""),
            "Data type": "Dichotomous" if ratio or code.upper() == "RD" else "Continuous",
            "Effect measure": _MEASURES.get(code.upper(), code),
            "Arm": arms[c.study, c.arm_1],
            "Reference arm": arms[c.study, c.arm_2],
            "CI level": c.level or 0.95 if c.ci_low is not None else "",
            "Footnotes": c.notes,
            **effect,
        }


def _numbers(r: Result) -> dict[str, Any]:
    if r.events is not None and r.n is not None:
        return {"Data type": "Dichotomous", "Sample size": r.n, "Cases": r.events}
    if r.mean is None:
        return {}
    sd = r.sd if r.sd is not None else r.spread if r.spread_is == "sd" else None
    se = r.se if r.se is not None else r.spread if r.spread_is == "se" else None
    level = (r.level or 0.95) if r.ci_low is not None else ""
    row = {"Data type": "Continuous", "Sample size": r.n, "Mean": r.mean, "SD": sd, "SE": se}
    return row | {"CI level": level, "CI start": r.ci_low, "CI end": r.ci_high}


def _bias(package: Package, labels: Mapping[str, str]) -> str:
    """One row a study: a judgement and its support for every domain; a second tool's domains have their own columns."""
    domains = list(dict.fromkeys(j.domain for j in package.risk_of_bias if j.study in labels))
    header = ["Study", *(h for d in domains for h in (f"Domain (judgement): {d}", f"Domain (support): {d}"))]
    rows: dict[str, dict[str, Any]] = {}
    for j in package.risk_of_bias:
        if j.study in labels:
            row = rows.setdefault(labels[j.study], {"Study": labels[j.study]})
            row.setdefault(f"Domain (judgement): {j.domain}", _JUDGEMENTS.get(j.judgement, j.judgement))
            row.setdefault(f"Domain (support): {j.domain}", j.reason)
    return _csv(header, rows.values())


def _csv(header: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A table in UTF-8 with a byte-order mark, as RevMan Web writes its own."""
    columns = list(header)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return "\ufeff" + out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(value)
    return safe_cell(text) if isinstance(value, str) else text


def _ris(package: Package, labels: Mapping[str, str]) -> str:
    """A record for every report of an included study; a study without one gets a record that carries its name alone."""
    records: list[str] = []
    told: set[str] = set()
    for report in package.reports:
        for study in report.studies:
            if study not in labels:
                continue
            told.add(study)
            fields = [("TY", "JOUR"), ("TI", report.citation), ("DO", report.doi), ("AN", report.pmid)]
            fields += [("UR", (report.url or "").split(" ; ")[0]), ("NS", labels[study])]
            records.append(_record(fields))
    for study, label in labels.items():
        if study not in told:
            year = next((str(s.year) for s in package.studies if s.study == study and s.year), "")
            records.append(_record([("TY", "JOUR"), ("PY", year), ("NS", label)]))
    return "\ufeff" + "\r\n".join(records)


def _record(fields: Iterable[tuple[str, str | None]]) -> str:
    lines = [f"{tag}  - {' '.join(text.split())}\r\n" for tag, text in fields if text]
    return "".join(lines) + "ER  - \r\n"
