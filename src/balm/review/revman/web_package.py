"""RevMan Web's data package (the CSV and RIS files of its ZIP) -> :class:`RevManReview`.

``*-data-rows.csv`` holds the rows, ``*-overall-estimates-and-settings.csv`` and ``*-subgroup-estimates.csv`` RevMan's
results; ``*-study-information.csv``, ``*-risk-of-bias.csv`` and ``*.ris`` the studies. With ``*-study-arms.csv`` and
``*-study-results.csv`` these are the study data that RevMan Web imports (:mod:`balm.review.revman.study_tables`).
A file of rows alone is read too: its settings are then found by the numbers stored in it
(:mod:`balm.review.revman.guess`).
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from balm.review.revman.measures import is_ratio_name, measure_code, method_code, type_of
from balm.review.revman.model import (
    CONTINUOUS,
    DICHOTOMOUS,
    GENERIC,
    O_E,
    Comparison,
    Judgement,
    Outcome,
    Reference,
    RevManReview,
    Row,
    Settings,
    Study,
    Subgroup,
)
from balm.review.revman.study_tables import bare, comparisons_of, read_arms, read_results
from balm.review.revman.tables_in import Line, clean, decimals, heading, read_table, value
from balm.review.revman.xml_text import decode
from balm.vocabulary.problems import InputError, Problem

#: How the file names of a package end, by what they hold.
ENDINGS = MappingProxyType(
    {
        "rows": "data-rows.csv",
        "settings": "overall-estimates-and-settings.csv",
        "subgroups": "subgroup-estimates.csv",
        "studies": "study-information.csv",
        "bias": "risk-of-bias.csv",
        "arms": "study-arms.csv",
        "results": "study-results.csv",
    }
)
_ROW_STORED = {"mean": "estimate", "ci start": "ci_low", "ci end": "ci_high", "weight": "weight"}
_TOTAL_STORED = {
    **_ROW_STORED,
    "pi start": "pi_low",
    "pi end": "pi_high",
    "heterogeneity tau2": "tau2",
    "tau2 ci start": "tau2_low",
    "tau2 ci end": "tau2_high",
    "heterogeneity tau2 ci start": "tau2_low",
    "heterogeneity tau2 ci end": "tau2_high",
    "heterogeneity chi2": "chi2",
    "heterogeneity df": "df",
    "heterogeneity p": "p_chi2",
    "heterogeneity i2": "i2",
    "effect z": "z",
    "effect p": "p",
    "subgroup chi2": "q",
    "subgroup df": "q_df",
    "subgroup p": "p_q",
    "subgroup i2": "i2_q",
    "experimental cases": "events_1",
    "experimental n": "n_1",
    "control cases": "events_2",
    "control n": "n_2",
}
_DATA = {
    "experimental cases": "events_1",
    "experimental n": "n_1",
    "control cases": "events_2",
    "control n": "n_2",
    "experimental mean": "mean_1",
    "experimental sd": "sd_1",
    "control mean": "mean_2",
    "control sd": "sd_2",
    "giv mean": "effect",
    "giv se": "se",
    "o e": "o_e",
    "variance": "var",
}
_JUDGEMENTS = {"low risk": "low", "low risk of bias": "low", "high risk": "high", "high risk of bias": "high"}
_RIS = {"AU": "AU", "TI": "TI", "T1": "TI", "T2": "SO", "JO": "SO", "PY": "YR", "Y1": "YR", "VL": "VL", "IS": "NO"}
_GROUPS = ("included", "excluded", "awaiting", "ongoing")

Key = tuple[str, str]


@dataclass
class _Files:
    rows: list[Line] = field(default_factory=list)
    settings: list[Line] = field(default_factory=list)
    subgroups: list[Line] = field(default_factory=list)
    studies: list[Line] = field(default_factory=list)
    bias: list[Line] = field(default_factory=list)
    arms: list[Line] = field(default_factory=list)
    results: list[Line] = field(default_factory=list)
    domains: dict[str, str] = field(default_factory=dict)
    references: list[tuple[str, Reference]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def is_data_rows(data: bytes) -> bool:
    """Whether a CSV is a table of data rows, by its header."""
    first = decode(data[:20_000])[0].lstrip("\r\n").split("\n", 1)[0]
    names = {heading(part.strip('"')) for part in re.split(r"[,;\t]", first)}
    return {"analysis group", "analysis number", "study"} <= names


def read_web_package(files: Mapping[str, bytes], source: str) -> RevManReview:
    """The review whose files are given by name; a package without rows is an error."""
    held = _Files()
    for name, data in files.items():
        plain = re.sub(r"[ _]+", "-", name.lower())
        kind = next((k for k, ending in ENDINGS.items() if plain.endswith(ending)), "")
        if not kind and name.lower().endswith(".csv") and is_data_rows(data):
            kind = "rows"
        if kind:
            lines, problems = read_table(data, name)
            getattr(held, kind).extend(lines)
            held.problems += problems
            if kind == "bias":
                held.domains |= _domains(data)
        elif name.lower().endswith(".ris"):
            group = next((g for g in _GROUPS if g in name.rsplit("/", 1)[-1].lower()), "included")
            held.references += [(group, reference) for reference in _references(data)]
    if held.results and not held.rows and not held.settings:
        return _from_study_data(held, source)
    if not held.rows and not held.settings:
        raise InputError(Problem("holds no analyses: no file ends in -data-rows.csv with a row in it", file=source))
    if held.settings and not held.rows:
        raise InputError(Problem("lists analyses, but no row was read from -data-rows.csv", file=source))
    texts = [clean(r.get(c)) for r in held.rows for c in _ROW_STORED]
    texts += [clean(r.get(c)) for r in held.settings + held.subgroups for c in _TOTAL_STORED]
    comparisons = _comparisons(held)
    return RevManReview(
        source=source,
        format="revman-web",
        title=_title(held.rows),
        comparisons=comparisons,
        studies=tuple(_studies(held, comparisons)),
        judgements=tuple(_judgements(held)),
        doi=clean(held.rows[0].get("review doi")) if held.rows else "",
        decimals=decimals(texts),
        repairs=tuple(held.problems),
    )


def _from_study_data(held: _Files, source: str) -> RevManReview:
    """The review of arms and results, without analyses of its own."""
    for kind in ("studies", "bias", "arms", "results"):
        setattr(held, kind, [bare(line) for line in getattr(held, kind)])
    arms, results = read_arms(held.arms), read_results(held.results)
    comparisons = comparisons_of(arms, results)
    judgements = (replace(j, domain=held.domains.get(j.domain.lower(), j.domain)) for j in _judgements(held))
    return RevManReview(
        source=source,
        format="revman-web-studies",
        title="",
        comparisons=comparisons,
        studies=tuple(_studies(held, comparisons)),
        judgements=tuple(judgements),
        repairs=tuple(held.problems),
        arms=arms,
        results=results,
    )


def _domains(data: bytes) -> dict[str, str]:
    """The domains of a risk-of-bias table as it spells them, by their plain names."""
    header = next(csv.reader(io.StringIO(decode(data)[0], newline="")), [])
    told = (re.fullmatch(r"Domain \(judgement\): (.+)", name.lstrip("\ufeff").strip()) for name in header)
    return {heading(name[1]): name[1] for name in told if name}


def _title(rows: Sequence[Line]) -> str:
    return clean(rows[0].get("review title")) if rows else ""


def _key(line: Line) -> Key:
    return clean(line.get("analysis group")) or "1", clean(line.get("analysis number")) or "1"


def _comparisons(held: _Files) -> tuple[Comparison, ...]:
    rows: dict[Key, list[Line]] = {}
    for line in held.rows:
        rows.setdefault(_key(line), []).append(line)
    settings = {_key(line): line for line in held.settings}
    subgroups: dict[Key, list[Line]] = {}
    for line in held.subgroups:
        subgroups.setdefault(_key(line), []).append(line)
    groups: dict[str, list[Outcome]] = {}
    names: dict[str, str] = {}
    for key in dict.fromkeys([*settings, *rows]):
        line = settings.get(key, {})
        groups.setdefault(key[0], []).append(_outcome(key, line, rows.get(key, []), subgroups.get(key, [])))
        names.setdefault(key[0], clean(line.get("analysis group name")))
    return tuple(Comparison(f"CMP-{n}", n, names[n] or f"Comparison {n}", tuple(o)) for n, o in groups.items())


def _outcome(key: Key, line: Line, rows: Sequence[Line], subgroups: Sequence[Line]) -> Outcome:
    kind = type_of(line.get("data type", "")) if line else _kind(rows)
    identity = f"CMP-{key[0]}.{key[1]}"
    made = [(clean(r.get("subgroup")), _row(r, kind)) for r in rows]
    ids = {clean(s.get("subgroup")): clean(s.get("subgroup number")) for s in subgroups}
    stored = {clean(s.get("subgroup")): s for s in subgroups}
    names = [n for n in dict.fromkeys([*ids, *(name for name, _ in made)]) if n]
    return Outcome(
        id=identity,
        number=".".join(key),
        name=clean(line.get("analysis name")) or clean(rows[0].get("analysis name") if rows else ""),
        type=kind,
        settings=_settings(line, kind),
        rows=tuple(row for name, row in made if not name),
        subgroups=tuple(
            Subgroup(
                f"{identity}.{ids.get(name) or i}",
                name,
                tuple(row for n, row in made if n == name),
                _stored(stored.get(name, {}), _TOTAL_STORED),
            )
            for i, name in enumerate(names, 1)
        ),
        stored=_stored(line, _TOTAL_STORED),
        label_1=clean(line.get("experimental group label")) or clean(line.get("experimental intervention")),
        label_2=clean(line.get("control group label")) or clean(line.get("control intervention")),
        favours_1=clean(line.get("graph label left")),
        favours_2=clean(line.get("graph label right")),
        unit=clean(line.get("unit of effect measure")),
        attributes=MappingProxyType(dict(line)),
    )


def _kind(rows: Sequence[Line]) -> str:
    """The kind of data by what is filled; RevMan Web writes 0 where nothing was entered."""

    def any_of(*names: str) -> bool:
        return any((value(r, name) or 0.0) != 0.0 for r in rows for name in names)

    if any_of("experimental sd", "control sd"):
        return CONTINUOUS
    if any_of("experimental cases", "control cases"):
        return DICHOTOMOUS
    if any_of("giv mean"):
        return GENERIC
    return O_E if any_of("o e") else DICHOTOMOUS


def _settings(line: Line, kind: str) -> Settings:
    if not line:
        return Settings(guessed=("measure", "method", "model", "totals"))
    name = clean(line.get("effect measure"))
    code = measure_code(name)
    estimator = clean(line.get("heterogeneity estimator")).lower()
    interval = (clean(line.get("ci method")) or clean(line.get("summary ci method"))).lower()
    overall = _true(line.get("overall estimates"), True)
    inside = _true(line.get("subgroup estimates"), True)
    new = "heterogeneity estimator" in line
    level = clean(line.get("ci pi level"))
    random = clean(line.get("analysis model")).lower().startswith("random")
    method = method_code(line.get("statistical method", ""))
    if code == "PETO_OR" and kind == DICHOTOMOUS:
        code, method = "OR", "PETO"
    return Settings(
        measure=code,
        method=method,
        model="random" if random else "common",
        measure_name=name,
        tau2="REML" if "reml" in estimator or "restricted" in estimator else "DL",
        inference="hartung-knapp" if re.search("hksj|hartung|knapp", interval) else "wald",
        profile="revman-web" if new else "revman5",
        prediction="wald-t-k-1" if _true(line.get("prediction interval"), False) else "none",
        totals="YES" if overall else "SUB" if inside else "NO",
        subgroup_test=_true(line.get("test for subgroup differences"), True),
        log_data=kind == GENERIC and (is_ratio_name(name) if name else _true(line.get("log scale data"), False)),
        swap=_true(line.get("swap event and non event"), False),
        level_study=_level(line.get("study ci") or level),
        level_total=_level(line.get("estimate ci") or level),
    )


def _true(text: str | None, otherwise: bool) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
        clean(text).lower(), otherwise
    )


def _level(text: str | None) -> float:
    try:
        percent = float(clean(text).rstrip("%"))
    except ValueError:
        return 0.95
    return percent / 100.0 if 1.0 < percent < 100.0 else percent if 0.0 < percent < 1.0 else 0.95


def _stored(line: Mapping[str, str], names: Mapping[str, str]) -> Mapping[str, str]:
    found = {ours: text for theirs, ours in names.items() if (text := clean(line.get(theirs)))}
    if "z" not in found and clean(line.get("effect t")):
        found["z"] = clean(line.get("effect t"))
    if "z" in found:
        found["z"] = found["z"].lstrip("-")
    return MappingProxyType(found)


def _row(line: Line, kind: str) -> Row:
    applies = clean(line.get("applicability"))
    study = clean(line.get("study"))
    return Row(
        study_id=study,
        study=study,
        data=MappingProxyType({ours: v for theirs, ours in _DATA.items() if (v := value(line, theirs)) is not None}),
        stored=_stored({k: line.get(k, "") for k in _ROW_STORED}, _ROW_STORED),
        in_overall=applies != "SUBGROUP_ONLY",
        in_subgroup=applies != "OVERALL_ONLY",
        footnote=clean(line.get("footnotes")),
        year=clean(line.get("study year")),
    )


def _studies(held: _Files, comparisons: Sequence[Comparison]) -> Iterator[Study]:
    references: dict[str, list[Reference]] = {}
    groups: dict[str, str] = {}
    for group, reference in held.references:
        if reference.study_id:
            references.setdefault(reference.study_id, []).append(reference)
            groups.setdefault(reference.study_id, group)
    years = {row.study: row.year for c in comparisons for o in c.outcomes for row in o.all_rows}
    lines = {clean(line.get("study")): line for line in held.studies if clean(line.get("study"))}
    for name in dict.fromkeys([*lines, *years, *references]):
        line = lines.get(name, {})
        told = {k.removeprefix("char ").capitalize(): _text(v) for k, v in line.items() if k.startswith("char ")}
        yield Study(
            id=name,
            label=name,
            year=clean(line.get("year")) or years.get(name, ""),
            group="included" if name in lines or name in years else groups.get(name, "included"),
            data_source=clean(line.get("data source")),
            references=tuple(references.get(name, [])),
            characteristics=MappingProxyType({k: v for k, v in told.items() if v}),
        )


def _judgements(held: _Files) -> Iterator[Judgement]:
    seen: set[tuple[str, ...]] = set()
    for line in [*held.bias, *held.rows]:
        study = clean(line.get("study"))
        about = clean(line.get("analysis name")) or clean(line.get("result")) or clean(line.get("outcome"))
        for name in line:
            own = re.fullmatch(r"domain judgement (.+)|(.+) judgement", name)
            if own is None or not study:
                continue
            domain = own.group(1) or own.group(2)
            found = clean(line.get(name))
            support = clean(line.get(f"domain support {domain}" if own.group(1) else f"{domain} support"))
            key = (study, domain, about, found)
            if not found or found.lower() == "not applicable" or key in seen:
                continue
            seen.add(key)
            judgement = _JUDGEMENTS.get(found.lower(), found.lower().removesuffix(" risk").removesuffix(" of bias"))
            tool = "RoB 2" if own.group(2) else "RoB 1"
            yield Judgement(study, domain.capitalize(), judgement, _text(support), about, tool)


def _text(markup: str) -> str:
    plain = re.sub(r"<(?:/p|br\s*/?|/li)>", "\n", markup)
    lines = (" ".join(html.unescape(re.sub(r"<[^>]*>", "", part)).split()) for part in plain.splitlines())
    return "\n".join(line for line in lines if line)


def _references(data: bytes) -> Iterator[Reference]:
    fields: dict[str, list[str]] = {}
    for line in decode(data)[0].splitlines():
        found = re.match(r"\ufeff?([A-Z][A-Z0-9])  ?-\s?(.*)$", line)
        if not found:
            continue
        tag, text = found.group(1), found.group(2).strip()
        if tag == "ER":
            if fields:
                yield _reference(fields)
            fields = {}
        elif text:
            fields.setdefault(tag, []).append(text)
    if fields:
        yield _reference(fields)


def _reference(fields: Mapping[str, list[str]]) -> Reference:
    said: dict[str, str] = {}
    for tag, ours in _RIS.items():
        if tag in fields:
            said.setdefault(ours, "; ".join(fields[tag]))
    if "SP" in fields:
        said["PG"] = "-".join([fields["SP"][0], *fields.get("EP", [])])
    ids = [("DOI", text) for text in fields.get("DO", [])]
    ids += [("PUBMED", text) for text in fields.get("AN", []) if text.isdigit()]
    ids += [("URL", text) for text in fields.get("UR", [])]
    kind = fields.get("TY", ["JOUR"])[0]
    return Reference(kind, MappingProxyType(said), tuple(ids), study_id=fields.get("NS", [""])[0])
