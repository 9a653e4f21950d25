"""A RevMan review as the files of a review package.

Every outcome becomes an outcome with its results and one planned analysis that keeps RevMan's conventions, its
subgroups, and whose totals it shows. Generic inverse-variance and O-E outcomes have no groups to enter: their study
effects go to ``contrasts.csv`` and are pooled from there. RevMan's own totals go to ``published.csv``, so that the
report shows them beside ours. What the format has no place for is kept whole in ``revman.json``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp, isfinite
from typing import Any

from balm.review.plan import FILE, PLANNED_MEASURES, RATIOS
from balm.review.revman.analyse import LEAST, is_ratio, measure_of, method_of, why_not
from balm.review.revman.model import (
    CONTINUOUS,
    DICHOTOMOUS,
    GENERIC,
    O_E,
    OTHER,
    Comparison,
    Outcome,
    RevManReview,
    Row,
    Study,
)
from balm.review.revman.recompute import holds, settled, shown_inference
from balm.review.revman.stored_number import number
from balm.review.risk_of_bias.words import JUDGEMENTS
from balm.review.schema import TABLES, Table
from balm.review.tables import written_cell

_SCOPES = {"included": "included", "excluded": "excluded", "awaiting": "awaiting", "ongoing": "ongoing"}
#: Words in the name of a ratio or difference of generic inverse-variance data, and our code of the measure.
_RATIO_NAMES = (("hazard", "HR"), ("rate", "IRR"), ("odds", "OR"), ("risk", "RR"), ("mean", "ROM"))
_DIFFERENCE_CODES = ("MD", "SMD", "RD")
#: More participants than this are a slip of the keyboard.
MOST_PEOPLE = 1e9
#: A standard error above this has no square to divide by.
MOST_SE = 1e150
#: Why a row with numbers has no effect.
MARKED = "RevMan marks it as not estimable"
#: What a text cell may hold.
MOST_TEXT = 30_000

Cells = dict[str, Any]


@dataclass
class _Tables:
    """Rows of the package's tables while they are being made."""

    rows: dict[str, list[Cells]] = field(default_factory=dict)

    def add(self, file: str, **cells: Any) -> None:
        self.rows.setdefault(file, []).append(cells)


@dataclass(frozen=True)
class _Unit:
    """A study as one line of an analysis: RevMan lets a study enter an outcome more than once."""

    id: str
    label: str
    study: Study


def package_files(review: RevManReview, name: str, date: str) -> dict[str, str]:
    """The files of a package in a folder called ``name``: relative name -> text."""
    names = _Names()
    studies = {s.id: s for s in review.studies}
    tables = _Tables()
    plan = _Plan(review, name, date)
    units: dict[tuple[str, int], _Unit] = {}
    for comparison in review.comparisons:
        for given in comparison.outcomes:
            if given.type == OTHER:
                continue
            _outcome(settled(given, review.decimals), comparison, review, studies, units, names, tables, plan)
    _studies(review, studies, units, names, tables)
    _judgements(review, names, tables)
    included = {s.id for s in studies.values() if s.group == "included"}
    pooled = {row.study_id for o in review.outcomes if o.type != OTHER for row in o.all_rows if not why_not(o, row)}
    # a study that enters an outcome more than once has a line for each entry, and is counted once
    plan.flow = {"new_studies": len(included), "total_studies_ma": len(included & pooled)}
    if any(s.references for s in studies.values()):
        cited = (sum(bool(r.citation) for r in s.references) for s in studies.values() if s.id in included)
        plan.flow["new_reports"] = sum(max(1, n) for n in cited)
    files = {FILE: plan.text()}
    for table in TABLES:
        files[table.file] = _csv(table, tables.rows.get(table.file, []))
    files["revman.json"] = _rest(review)
    return files


class _Names:
    """Ids of the package for the ids of RevMan: letters, digits, ``. _ -``, each one once."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.taken: set[str] = set()

    def of(self, kind: str, text: str, like: str = "") -> str:
        """The id for ``text`` among those of its kind, formed ``like`` another text; always the same for a text."""
        key = f"{kind}:{text}"
        if key not in self.given:
            plain = re.sub(r"[^A-Za-z0-9.]+", "-", like or text).strip("-.").lower()[:60] or kind
            chosen, n = plain, 1
            while f"{kind}:{chosen}" in self.taken:
                n += 1
                chosen = f"{plain}-{n}"
            self.taken.add(f"{kind}:{chosen}")
            self.given[key] = chosen
        return self.given[key]


def _unit(
    row: Row, seen: dict[str, int], studies: dict[str, Study], units: dict[tuple[str, int], _Unit], names: _Names
) -> _Unit:
    study = studies.setdefault(row.study_id, Study(row.study_id, row.study, row.year))
    entry = seen[row.study_id] = seen.get(row.study_id, 0) + 1
    if (row.study_id, entry) not in units:
        base = names.of("study", study.id, study.label)
        more = f" (entry {entry})" if entry > 1 else ""
        identity = base if entry == 1 else names.of("study", f"{study.id}.entry-{entry}", f"{base}.entry-{entry}")
        units[row.study_id, entry] = _Unit(identity, _label(study) + more, study)
    return units[row.study_id, entry]


def _outcome(
    outcome: Outcome,
    comparison: Comparison,
    review: RevManReview,
    studies: dict[str, Study],
    units: dict[tuple[str, int], _Unit],
    names: _Names,
    tables: _Tables,
    plan: _Plan,
) -> None:
    """The rows of one outcome, its analyses and RevMan's totals."""
    place = outcome.number
    identity = names.of("outcome", f"{place} {len(plan.outcomes)}", f"o{place}")
    source = f"{review.source}, {outcome.id}"
    binary = outcome.type == DICHOTOMOUS or (outcome.type in (GENERIC, O_E) and is_ratio(outcome))
    plan.outcome(identity, outcome, "binary" if binary else "continuous", comparison)
    sides = {"1": outcome.label_1 or "Experimental", "2": outcome.label_2 or "Control"}
    arms = {g: f"{names.of('arm', label)}-{g}" for g, label in sides.items()}
    parts: list[tuple[str, list[str]]] = [("", [])]
    parts += [(s.name, []) for s in outcome.subgroups]
    groups = [(0, row) for row in outcome.rows]
    groups += [(i, row) for i, s in enumerate(outcome.subgroups, 1) for row in s.rows]
    grouped = outcome.type in (DICHOTOMOUS, CONTINUOUS)
    measure = measure_of(outcome) if grouped else contrast_measure(outcome)
    seen: dict[str, int] = {}
    for count, (part, row) in enumerate(groups, 1):
        unit = _unit(row, seen, studies, units, names)
        shared = {
            "study": unit.id,
            "outcome": identity,
            "reported_as": " / ".join(x for x in (outcome.name, parts[part][0]) if x),
            "notes": row.footnote,
            "source": source,
            "verified": "yes",
        }
        why = why_not(outcome, row) or (MARKED if row.estimable is False else "")
        for g, label in sides.items():
            tables.add(
                "arms.csv",
                study=unit.id,
                arm=arms[g],
                label=label,
                role="intervention" if g == "1" else "other",
                source=review.source,
                verified="yes",
            )
        made = []
        if grouped:
            for g in ("1", "2"):
                made.append(f"{identity}-{count}.{g}")
                tables.add(
                    "results.csv", result=made[-1], arm=arms[g], **_numbers(outcome, identity, row, g, why), **shared
                )
        else:
            made.append(f"{identity}-{count}")
            _contrast(tables, outcome, row, made[-1], measure, arms, shared, why)
        if row.in_overall:
            parts[0][1].extend(made)
        if part and row.in_subgroup:
            parts[part][1].extend(made)
    kind = {"continuous": "continuous", "binary": "binary"}.get(PLANNED_MEASURES.get(measure, ""))
    if not grouped or kind == ("binary" if outcome.type == DICHOTOMOUS else "continuous"):
        inference = shown_inference(outcome, review.decimals)
        key = "results" if grouped else "contrasts"
        plan.analysis(identity, outcome, comparison, measure, key, parts, inference)
    _published(outcome, identity, review, names, tables)


def contrast_measure(outcome: Outcome) -> str:
    """The measure under which entered effects are pooled: a known ratio or difference by its name, else ``GEN``.

    A ratio whose name says nothing stays on the scale on which it was entered, the logarithm.
    """
    name = f"{outcome.settings.measure_name} {outcome.settings.measure}".lower()
    if not is_ratio(outcome):
        return outcome.settings.measure if outcome.settings.measure in _DIFFERENCE_CODES else "GEN"
    if outcome.settings.measure in RATIOS:
        return outcome.settings.measure
    found = next((code for word, code in _RATIO_NAMES if word in name), None)
    return found or ("HR" if outcome.type == O_E else "GEN")


def _numbers(outcome: Outcome, identity: str, row: Row, g: str, why: str) -> Cells:
    """The cells of one group as entered; a row that cannot give an effect says why."""
    data = row.data
    n = data.get(f"n_{g}", 0.0)
    cells: Cells = {"n": _whole(n) if 1 <= n <= MOST_PEOPLE else "", "how_read": "reported"}
    broken = why if why and "no events" not in why and "events in everyone" not in why else ""
    if outcome.type == DICHOTOMOUS:
        events = data.get(f"events_{g}", 0.0)
        if outcome.settings.swap:
            events = n - events
            cells["how_read"] = "entered in RevMan; events and non-events swapped as its setting says"
        fine = float(events).is_integer() and float(n).is_integer() and 0 <= events <= n and 1 <= n <= MOST_PEOPLE
        cells["events"] = _whole(events) if fine else ""
        broken = broken or ("" if fine else f"{events:g} of {n:g} is no count")
    else:
        sd = data.get(f"sd_{g}", 0.0)
        cells |= {
            "mean": _plain(data.get(f"mean_{g}")),
            "sd": _plain(sd) if sd > 0 else "",
            "scale": f"s.{identity}",
        }
        broken = broken or ("" if cells["n"] else f"{n:g} participants are no count")
    return cells | {"usable": "no" if broken else "yes", "why_not": broken}


def _label(study: Study) -> str:
    return study.label.strip() or study.id.strip() or "(without a name)"


def _contrast(
    tables: _Tables,
    outcome: Outcome,
    row: Row,
    identity: str,
    measure: str,
    arms: Mapping[str, str],
    shared: Cells,
    why: str,
) -> None:
    """An effect as entered; O-E and V as their ratio, whose variance is 1/V."""
    data = row.data
    notes = [shared["notes"]]
    if outcome.type == O_E:
        known = not why
        effect = data["o_e"] / data["var"] if known else None
        se = data["var"] ** -0.5 if known else None
        notes.append(f"O-E = {data['o_e']:g}, V = {data['var']:g}: the estimate is exp((O-E)/V)" if known else "")
    else:
        effect, se = data.get("effect"), data.get("se")
    ratio = measure in RATIOS
    if effect is not None and ratio:
        effect = exp(effect) if abs(effect) < 700 else None
    stored = {name: number(row.stored.get(name)) for name in ("ci_low", "ci_high")}
    held = (
        ratio == is_ratio(outcome)
        and holds(row.stored, row.estimable, is_ratio(outcome))
        and _ordered(stored["ci_low"], effect, stored["ci_high"])
    )
    if not why and not (_plain(effect) and se is not None and LEAST <= se <= MOST_SE):
        why = "the effect or its standard error is out of all proportion"
    tables.add(
        "contrasts.csv",
        contrast=identity,
        arm_1=arms["1"],
        arm_2=arms["2"],
        measure=measure if measure != "GEN" else outcome.settings.measure or outcome.settings.measure_name or "GEN",
        estimate=_plain(effect),
        se=_plain(se) if se and se > 0 else "",
        ci_low=_plain(stored["ci_low"]) if held else "",
        ci_high=_plain(stored["ci_high"]) if held else "",
        level=_plain(outcome.settings.level_study),
        usable="no" if why else "yes",
        why_not=why,
        **(shared | {"notes": "; ".join(n for n in notes if n)}),
    )


def _ordered(low: float | None, estimate: float | None, high: float | None) -> bool:
    """Whether an estimate lies in its interval; the tables of a package refuse one that does not."""
    return low is not None and estimate is not None and high is not None and low <= estimate <= high


def _published(outcome: Outcome, identity: str, review: RevManReview, names: _Names, tables: _Tables) -> None:
    """RevMan's own totals, as a publication to compare with."""
    s = outcome.settings
    model = ", ".join(
        x for x in (s.method, f"random effects ({s.tau2})" if s.model == "random" else "fixed effect", "RevMan") if x
    )
    named = [(outcome.id, "all studies", outcome.stored, outcome.estimable, len(outcome.all_rows))]
    if s.totals != "YES":
        named = []
    if s.totals != "NO":
        named += [(p.id, p.name, p.stored, p.estimable, len(p.rows)) for p in outcome.subgroups]
    for where, what, stored, estimable, k in named:
        ends = [number(stored.get(name)) for name in ("ci_low", "estimate", "ci_high")]
        if not holds(stored, estimable, is_ratio(outcome)) or not _ordered(*ends):
            continue
        tables.add(
            "published.csv",
            published=names.of("published", f"{where} {len(tables.rows.get('published.csv', []))}", where),
            review="revman",
            label=f"RevMan, {what}",
            kind="pooled",
            outcome=identity,
            reported_as=f"{outcome.name}: {what}",
            measure="OR" if measure_of(outcome) == "PETO" else s.measure or s.measure_name,
            scale=f"s.{identity}" if outcome.type == CONTINUOUS and s.measure == "MD" else "",
            estimate=stored["estimate"],
            ci_low=stored["ci_low"],
            ci_high=stored["ci_high"],
            level=_plain(s.level_total),
            k_text=str(k),
            model=model,
            reproducible="yes: its rows are in this package",
            source=f"{review.source}, {where}",
            verified="yes",
        )


def _studies(
    review: RevManReview,
    studies: Mapping[str, Study],
    units: Mapping[tuple[str, int], _Unit],
    names: _Names,
    tables: _Tables,
) -> None:
    tables.rows["arms.csv"] = _once(tables.rows.get("arms.csv", []), ("study", "arm"))
    extra: dict[str, list[tuple[int, _Unit]]] = {}
    for (key, entry), unit in units.items():
        extra.setdefault(key, []).append((entry, unit))
    for study in studies.values():
        identity = names.of("study", study.id, study.label)
        reports = []
        for i, reference in enumerate(study.references, 1):
            citation = reference.citation
            if not citation:
                continue
            report = names.of("report", f"{identity}-{i}")
            reports.append(report)
            tables.add(
                "reports.csv",
                report=report,
                studies=identity,
                kind="trial report",
                citation=_text(citation),
                doi=reference.identifier("DOI"),
                pmid=reference.identifier("PUBMED"),
                verified="yes",
            )
        told = {k.lower(): v for k, v in study.characteristics.items()}
        cells: Cells = {
            "year": study.year if re.fullmatch(r"(18|19|20|21)\d\d", study.year) else "",
            "design": "not stated",
            "design_text": _text(told.get("methods", "")),
            "condition": _text(told.get("participants", "")),
            "comparator": _text(told.get("interventions", "")),
            "main_outcome": _text(told.get("outcomes", "")),
            "scope": _SCOPES.get(study.group, "included"),
            "scope_note": _text(told.get("reason for exclusion", "")),
            "notes": _text(told.get("notes", "")),
            "report": reports[0] if reports else "",
            "source": review.source,
            "verified": "yes",
        }
        tables.add("studies.csv", study=identity, label=_label(study), **cells)
        for entry, unit in sorted(extra.get(study.id, []), key=lambda pair: pair[0]):
            if entry > 1:
                note = f"the same study as {identity}: entered {entry} times in an outcome of RevMan"
                same = {"scope_note": note, "entry_of": identity}
                tables.add("studies.csv", study=unit.id, label=unit.label, **(cells | same))


def _judgements(review: RevManReview, names: _Names, tables: _Tables) -> None:
    labels = {s.id: s.label for s in review.studies}
    seen: set[tuple[str, ...]] = set()
    for j in review.judgements:
        if j.judgement not in JUDGEMENTS or j.study_id not in labels:
            continue
        domain = f"{j.domain} ({j.about})" if j.about else j.domain
        study = names.of("study", j.study_id, labels[j.study_id])
        key = (study, j.tool, domain)
        if key in seen or not domain:
            continue
        seen.add(key)
        tables.add(
            "risk_of_bias.csv",
            study=study,
            tool=j.tool,
            domain=domain,
            judgement=j.judgement,
            reason=_text(j.support),
            assessor="authors of the RevMan review",
            source=review.source,
            verified="yes",
        )


class _Plan:
    """``review.toml`` while it is being made."""

    def __init__(self, review: RevManReview, name: str, date: str) -> None:
        self.review, self.name, self.date = review, name, date
        self.outcomes: list[str] = []
        self.comparisons: dict[str, str] = {}
        self.scales: list[str] = []
        self.analyses: list[str] = []
        self.flow: dict[str, int] = {}

    def outcome(self, identity: str, outcome: Outcome, kind: str, comparison: Comparison) -> None:
        """An outcome with, for means, the range of its values as a scale."""
        scale = ""
        if kind == "continuous":
            means = [v for r in outcome.all_rows for k, v in r.data.items() if k.startswith("mean") and isfinite(v)]
            low, high = (min(means), max(means)) if means else (0.0, 1.0)
            low, high = (low, high) if high > low else (low, low + 1.0)
            scale = f"s.{identity}"
            about = f"{outcome.name}, as entered; the range of its instrument is not in the file, these are the means"
            unit = outcome.unit or "units as entered"
            self.scales.append(_toml("scales", id=scale, name=about, low=low, high=high, unit=unit))
        name = f"{outcome.number} {outcome.name}".strip()
        left = outcome.favours_1.lower()
        own = [*re.findall(r"[a-z]{4,}", outcome.label_1.lower()), "treatment", "experimental", "intervention"]
        higher = bool(left) and not any(w in left for w in own) and "control" in left + outcome.label_2.lower()
        self.outcomes.append(
            _toml(
                "outcomes",
                id=identity,
                name=name,
                domain=comparison.name or "outcome",
                kind=kind,
                direction="higher is better" if higher else "lower is better",
                scale=scale or None,
                unit=outcome.unit or None,
                favours=[outcome.favours_1, outcome.favours_2] if outcome.favours_1 and outcome.favours_2 else None,
                definition=f"{outcome.id} of {self.review.source}; direction read from the labels of its plot",
            )
        )
        if comparison.number not in self.comparisons:
            first, second = outcome.label_1 or "Experimental", outcome.label_2 or "Control"
            self.comparisons[comparison.number] = _toml(
                "comparisons",
                id=f"c{comparison.number}",
                name=comparison.name or f"Comparison {comparison.number}",
                group_1=first,
                group_2=second,
                roles_1=["intervention"],
                roles_2=["other"],
            )

    def analysis(
        self,
        identity: str,
        o: Outcome,
        comparison: Comparison,
        measure: str,
        key: str,
        parts: list[tuple[str, list[str]]],
        inference: str,
    ) -> None:
        """The analysis of an outcome: all its studies, and its subgroups where RevMan totals them."""
        s = o.settings
        whole, subgroups = parts[0][1], [(name, ids) for name, ids in parts[1:] if ids]
        rows = whole or [one for _, ids in subgroups for one in ids]
        if not rows and key == "contrasts":
            return
        overall = s.totals == "YES" and bool(whole or not rows)
        notes = [] if overall else ["RevMan shows no total of all studies here"]
        if key == "contrasts" and measure == "GEN" and is_ratio(o):
            notes.append(f"on the logarithmic scale, as entered ({s.measure_name or 'a ratio'})")
        named: dict[str, Any] = {key: rows} if rows else {}
        self.analyses.append(
            _toml(
                "analyses",
                id=identity,
                title=f"{o.number} {o.name}".strip(),
                outcome=identity,
                comparison=f"c{comparison.number}",
                measure=measure,
                designs=["not stated"],
                scopes=["included", "excluded", "awaiting", "ongoing"],
                **named,
                method=method_of(o) if key == "results" else "inverse-variance",
                model=s.model,
                tau2=s.tau2,
                inference=inference,
                profile=s.profile,
                level=s.level_total,
                overall=overall,
                note=". ".join(notes) or None,
            )
        )
        if s.totals == "NO":
            return
        taken: set[str] = set()
        for i, (name, ids) in enumerate(subgroups, 1):
            unlike = name if name and name not in taken else f"{name or 'Subgroup'} ({i})"
            taken.add(unlike)
            self.analyses.append(_toml("analyses.subgroups", name=unlike, **{key: ids}))

    def text(self) -> str:
        """The file."""
        review = self.review
        title = re.sub(r"\s*\[Data only\..*?\]\s*$", "", review.title) or review.source
        unknown = "Not in the RevMan file; see the published review"
        head = _toml_table(
            "review",
            id=re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "review",
            title=title,
            version="1",
            date=self.date,
            status=f"Imported from {review.source} ({review.format})",
            summary=review.text.get("ABS_OBJECTIVES", "").replace("\n", " ") or None,
        )
        names = "; ".join(dict.fromkeys(c.name for c in review.comparisons if c.name))
        criteria = review.text.get("ABS_SELECTION_CRITERIA", "").replace("\n", " ")
        question = _toml_table(
            "question",
            population=criteria or unknown,
            intervention=names or unknown,
            comparators=names or unknown,
            outcomes="; ".join(dict.fromkeys(o.name for o in review.outcomes if o.name)) or unknown,
        )
        people = _toml("people", name="Authors of the RevMan review", role="reviewers")
        flow = _toml_table("flow", **self.flow)
        parts = [head, question, people, *self.scales, *self.outcomes, *self.comparisons.values(), *self.analyses, flow]
        return "\n".join(p for p in parts if p)


def _rest(review: RevManReview) -> str:
    """What the tables have no place for: characteristics, references, findings tables, other data, the abstract."""

    def reference(r: Any) -> dict[str, Any]:
        return {"kind": r.kind, "fields": dict(r.fields), "identifiers": list(r.identifiers), "notes": r.notes}

    held = {
        "source": review.source,
        "format": review.format,
        "title": review.title,
        "doi": review.doi,
        "abstract": dict(review.text),
        "studies": [
            {
                "id": s.id,
                "label": s.label,
                "group": s.group,
                "data_source": s.data_source,
                "identifiers": list(s.identifiers),
                "characteristics": dict(s.characteristics),
                "references": [reference(r) for r in s.references],
            }
            for s in review.studies
        ],
        "references": [reference(r) for r in review.references],
        "summary_of_findings": [
            {"title": f.title, "rows": [list(row) for row in f.rows], "footnotes": f.footnotes} for f in review.findings
        ],
        "other_data": [
            {"id": o.id, "name": o.name, "rows": [{"study": r.study, "text": r.text} for r in o.all_rows]}
            for o in review.outcomes
            if o.type == OTHER
        ],
        "repairs": [str(p) for p in review.repairs],
    }
    return json.dumps(held, indent=1, ensure_ascii=False) + "\n"


def _once(rows: Iterable[Cells], key: tuple[str, ...]) -> list[Cells]:
    found: dict[tuple[Any, ...], Cells] = {}
    for row in rows:
        found.setdefault(tuple(row[k] for k in key), row)
    return list(found.values())


def _csv(table: Table, rows: Iterable[Cells]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.name for c in table.columns])
    for row in rows:
        writer.writerow([written_cell(row.get(c.name, ""), c, table) for c in table.columns])
    return out.getvalue()


def _toml(table: str, **values: Any) -> str:
    return f"[[{table}]]\n" + _pairs(values)


def _toml_table(table: str, **values: Any) -> str:
    return f"[{table}]\n" + _pairs(values)


def _pairs(values: Mapping[str, Any]) -> str:
    def lines() -> Iterator[str]:
        for name, value in values.items():
            if value is None:
                continue
            if isinstance(value, list):
                yield f"{name} = [{', '.join(_quoted(v) for v in value)}]\n"
            elif isinstance(value, bool):
                yield f"{name} = {str(value).lower()}\n"
            elif isinstance(value, str):
                yield f"{name} = {_quoted(value)}\n"
            else:
                yield f"{name} = {value!r}\n"

    return "".join(lines())


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's too, but for the delete character
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + " ..."


def _whole(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else ""


def _plain(value: float | None) -> str:
    """A number as the tables take it, in full precision."""
    if value is None or not isfinite(value):
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
