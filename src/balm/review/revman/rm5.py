"""Review Manager 5 (``.rm5``): the XML of a review -> :class:`RevManReview`.

Unknown elements and attributes are passed over; what is read is found by name, wherever versions 5.0 to 5.4 put it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import log
from types import MappingProxyType
from xml.etree.ElementTree import Element

from balm.review.revman.model import (
    CONTINUOUS,
    DICHOTOMOUS,
    GENERIC,
    O_E,
    OTHER,
    TOTALS,
    Comparison,
    FindingsTable,
    Judgement,
    Outcome,
    Reference,
    RevManReview,
    Row,
    Settings,
    Study,
    Subgroup,
)
from balm.review.revman.stored_number import finite
from balm.review.revman.xml_text import parse, words
from balm.vocabulary.problems import InputError, Problem

#: Element prefix -> kind of outcome.
TYPES = MappingProxyType(
    {"DICH": DICHOTOMOUS, "CONT": CONTINUOUS, "IV": GENERIC, "IPD": O_E, "OTHER": OTHER, "OTHER_DATA": OTHER}
)
_STORED = MappingProxyType(
    {
        "EFFECT_SIZE": "estimate",
        "CI_START": "ci_low",
        "CI_END": "ci_high",
        "LOG_EFFECT_SIZE": "log_estimate",
        "LOG_CI_START": "log_ci_low",
        "LOG_CI_END": "log_ci_high",
        "WEIGHT": "weight",
    }
)
_STORED_ROW = MappingProxyType({**_STORED, "SE": "se", "O_E": "o_e", "VAR": "var"})
_STORED_TOTAL = MappingProxyType(
    {
        **_STORED,
        "TAU2": "tau2",
        "CHI2": "chi2",
        "DF": "df",
        "P_CHI2": "p_chi2",
        "I2": "i2",
        "Z": "z",
        "P_Z": "p",
        "Q": "q",
        "DF_Q": "q_df",
        "P_Q": "p_q",
        "I2_Q": "i2_q",
        "EVENTS_1": "events_1",
        "EVENTS_2": "events_2",
        "TOTAL_1": "n_1",
        "TOTAL_2": "n_2",
        "STUDIES": "studies",
    }
)
_DATA = MappingProxyType(
    {
        "EVENTS_1": "events_1",
        "EVENTS_2": "events_2",
        "TOTAL_1": "n_1",
        "TOTAL_2": "n_2",
        "MEAN_1": "mean_1",
        "MEAN_2": "mean_2",
        "SD_1": "sd_1",
        "SD_2": "sd_2",
    }
)
_GROUPS = MappingProxyType(
    {
        "INCLUDED_STUDIES": "included",
        "EXCLUDED_STUDIES": "excluded",
        "AWAITING_STUDIES": "awaiting",
        "ONGOING_STUDIES": "ongoing",
    }
)
#: RevMan's question is "free of bias?": yes = low risk.
_JUDGEMENTS = MappingProxyType({"YES": "low", "NO": "high", "UNKNOWN": "unclear", "UNCLEAR": "unclear"})
#: Grades of allocation concealment in RevMan 4 and the first versions of RevMan 5.
_GRADES = MappingProxyType({"A": "low", "B": "unclear", "C": "high"})
_MEASURES = MappingProxyType(
    {
        "PETO_OR": "OR",
        "ODDS_RATIO": "OR",
        "RISK_RATIO": "RR",
        "RISK_DIFFERENCE": "RD",
        "MEAN_DIFFERENCE": "MD",
        "WMD": "MD",
        "STD_MEAN_DIFFERENCE": "SMD",
    }
)


def read_rm5(data: bytes, source: str) -> RevManReview:
    """The review in ``data``; :class:`InputError` when it is none, names the line where the file is broken."""
    try:
        root, repairs = parse(data)
    except InputError as error:
        raise InputError([Problem(p.reason, file=source, line=p.line) for p in error.problems]) from None
    if root.tag.rpartition("}")[2] != "COCHRANE_REVIEW":
        raise InputError(Problem(f"is XML, but no RevMan review: it starts with <{root.tag[:40]}>", file=source))
    for element in root.iter():
        if isinstance(element.tag, str) and "}" in element.tag:
            element.tag = element.tag.rpartition("}")[2]
    characteristics = dict(_characteristics(root))
    studies = tuple(_studies(root, characteristics))
    labels = {study.id: study.label for study in studies}
    comparisons = tuple(_comparison(e, i, labels) for i, e in enumerate(root.iter("COMPARISON"), 1))
    cover = root.find("COVER_SHEET")
    title = words(cover.find("TITLE")) if cover is not None else words(root.find(".//TITLE"))
    return RevManReview(
        source=source,
        format="rm5",
        title=" ".join(title.split()),
        comparisons=comparisons,
        studies=studies,
        references=tuple(_reference(e) for e in _all(root, "OTHER_REFERENCES", "REFERENCE")),
        judgements=(*_judgements(root), *_concealment(root)),
        findings=tuple(_findings(e) for e in root.iter("SOF_TABLE")),
        text={e.tag: said for e in _all(root, "ABSTRACT", "*") if (said := words(e)) and e.tag.startswith("ABS_")},
        doi=root.get("DOI", ""),
        kind=root.get("TYPE", ""),
        repairs=tuple(Problem(p.reason, file=source, line=p.line, value=p.value) for p in repairs),
    )


def _all(root: Element, within: str, tag: str) -> Iterator[Element]:
    for part in root.iter(within):
        yield from part.iter() if tag == "*" else part.iter(tag)


def _characteristics(root: Element) -> Iterator[tuple[str, Mapping[str, str]]]:
    part = root.find(".//CHARACTERISTICS_OF_STUDIES")
    for table in part if part is not None else ():
        for entry in table:
            study = entry.get("STUDY_ID")
            if study is None:
                continue
            found: dict[str, str] = {}
            for child in entry:
                heading = child.tag.removeprefix("CHAR_")
                own = table.get(f"{heading}_NAME") if heading.startswith("USER_DEF") else None
                if said := words(child):
                    found[own or heading.replace("_", " ").capitalize()] = said
            yield study, MappingProxyType(found)


def _studies(root: Element, characteristics: Mapping[str, Mapping[str, str]]) -> Iterator[Study]:
    for tag, group in _GROUPS.items():
        for e in _all(root, tag, "STUDY"):
            identity = e.get("ID") or e.get("NAME") or ""
            yield Study(
                id=identity,
                label=e.get("NAME") or identity,
                year=e.get("YEAR", ""),
                group=group,
                data_source=e.get("DATA_SOURCE", ""),
                references=tuple(_reference(r, identity) for r in e.iter("REFERENCE")),
                identifiers=tuple(_identifiers(e.find("IDENTIFIERS"))),
                characteristics=characteristics.get(identity, MappingProxyType({})),
            )


def _identifiers(element: Element | None) -> Iterator[tuple[str, str]]:
    for e in element.iter("IDENTIFIER") if element is not None else ():
        if value := (e.get("VALUE") or words(e)):
            yield e.get("TYPE", "OTHER"), value


def _reference(e: Element, study: str = "") -> Reference:
    fields = {child.tag: said for child in e if child.tag != "IDENTIFIERS" and (said := " ".join(words(child).split()))}
    return Reference(
        kind=e.get("TYPE", "OTHER"),
        fields=MappingProxyType(fields),
        identifiers=tuple(_identifiers(e.find("IDENTIFIERS"))),
        primary=e.get("PRIMARY") == "YES",
        notes=re.sub(r"<[^>]*>", " ", e.get("NOTES", "")).strip(),
        study_id=study,
    )


def _judgements(root: Element) -> Iterator[Judgement]:
    for item in root.iter("QUALITY_ITEM"):
        domain = words(item.find("NAME")) or item.get("ID", "")
        groups = {g.get("ID", ""): words(g.find("NAME")) for g in item.iter("QUALITY_ITEM_DATA_ENTRY_GROUP")}
        for entry in item.iter("QUALITY_ITEM_DATA_ENTRY"):
            result = entry.get("RESULT", "")
            yield Judgement(
                study_id=entry.get("STUDY_ID", ""),
                domain=" ".join(domain.split()),
                judgement=_JUDGEMENTS.get(result, result.lower()),
                support=words(entry.find("DESCRIPTION")),
                about=groups.get(entry.get("GROUP_ID", ""), ""),
            )


def _concealment(root: Element) -> Iterator[Judgement]:
    """Reviews begun before risk-of-bias tables grade the concealment of allocation alone: A, B, C, or D (not used)."""
    for entry in root.iter():
        study = entry.get("STUDY_ID")
        if study is None or entry.tag.startswith("QUALITY_ITEM"):
            continue
        told = [v for k, v in entry.attrib.items() if k.startswith("ALLOCATION")]
        told += [c.get("VALUE") or words(c) for c in entry if "ALLOCATION" in c.tag]
        for grade in told:
            found = _GRADES.get(grade.strip()[:1].upper())
            if found and re.fullmatch(r"[A-D](\b.*)?", grade.strip(), re.IGNORECASE | re.DOTALL):
                yield Judgement(study, "Allocation concealment", found, grade.strip()[1:].strip(" -:"))


def _findings(e: Element) -> FindingsTable:
    rows = tuple(
        tuple(" ".join(words(cell).split()) for cell in row if cell.tag in ("TD", "TH")) for row in e.iter("TR")
    )
    return FindingsTable(" ".join(words(e.find("TITLE")).split()), rows, words(e.find("FOOTNOTES")))


def _comparison(e: Element, place: int, labels: Mapping[str, str]) -> Comparison:
    number = e.get("NO") or str(place)
    outcomes = [child for child in e if child.tag.endswith("_OUTCOME")]
    return Comparison(
        id=e.get("ID") or f"CMP-{number}",
        number=number,
        name=_one_line(e.find("NAME")),
        outcomes=tuple(_outcome(o, number, i, labels) for i, o in enumerate(outcomes, 1)),
    )


def _outcome(e: Element, comparison: str, place: int, labels: Mapping[str, str]) -> Outcome:
    prefix = e.tag.removesuffix("_OUTCOME")
    kind = TYPES.get(prefix, OTHER)
    number = e.get("NO") or str(place)
    subgroups = [child for child in e if child.tag.endswith("_SUBGROUP")]
    return Outcome(
        id=e.get("ID") or f"CMP-{comparison}.{number}",
        number=f"{comparison}.{number}",
        name=_one_line(e.find("NAME")),
        type=kind,
        settings=_settings(e, kind),
        rows=_rows(e, kind, labels, e.get("LOG_DATA") == "YES"),
        subgroups=tuple(
            Subgroup(
                id=s.get("ID") or f"{number}.{s.get('NO') or i}",
                name=_one_line(s.find("NAME")),
                rows=_rows(s, kind, labels, e.get("LOG_DATA") == "YES"),
                stored=_stored(s, _STORED_TOTAL),
                estimable=_yes(s.get("ESTIMABLE")),
            )
            for i, s in enumerate(subgroups, 1)
        ),
        stored=_stored(e, _STORED_TOTAL),
        estimable=_yes(e.get("ESTIMABLE")),
        label_1=_one_line(e.find("GROUP_LABEL_1")),
        label_2=_one_line(e.find("GROUP_LABEL_2")),
        favours_1=_one_line(e.find("GRAPH_LABEL_1")),
        favours_2=_one_line(e.find("GRAPH_LABEL_2")),
        unit=e.get("UNITS", ""),
        attributes=MappingProxyType(dict(e.attrib)),
    )


def _one_line(e: Element | None) -> str:
    return " ".join(words(e).split())


def _settings(e: Element, kind: str) -> Settings:
    measure = e.get("EFFECT_MEASURE") or ""
    method = (e.get("METHOD") or ("EXP_O_E_VAR" if kind == O_E else "IV")).upper()
    name = _one_line(e.find("EFFECT_MEASURE")) if kind in (GENERIC, O_E) else ""
    if measure == "PETO_OR":
        method = "PETO"
    totals = (e.get("TOTALS") or "YES").upper()
    return Settings(
        measure=_MEASURES.get(measure, measure) or name,
        method=method,
        model="random" if e.get("RANDOM") == "YES" else "common",
        measure_name=name or measure,
        totals=totals if totals in TOTALS else "YES",
        subgroup_test=e.get("SUBGROUP_TEST", "YES") == "YES",
        log_data=e.get("LOG_DATA") == "YES",
        swap=e.get("SWAP_EVENTS") == "YES",
        level_study=_level(e.get("CI_STUDY")),
        level_total=_level(e.get("CI_TOTAL")),
    )


def _level(text: str | None) -> float:
    value = finite(text)
    return value / 100.0 if value is not None and 0.0 < value < 100.0 else 0.95


def _rows(e: Element, kind: str, labels: Mapping[str, str], log_data: bool) -> tuple[Row, ...]:
    rows = []
    for d in e:
        if not d.tag.endswith("_DATA") or d.tag.endswith("_OUTCOME"):
            continue
        wanted = dict(_DATA)
        if kind == GENERIC:
            wanted |= {"ESTIMATE": "effect", "SE": "se"}
        if kind == O_E:
            wanted |= {"O_E": "o_e", "VAR": "var"}
        data = {ours: value for theirs, ours in wanted.items() if (value := finite(d.get(theirs))) is not None}
        stored = dict(_stored(d, _STORED_ROW))
        if kind == GENERIC:
            stored.pop("se", None)
            if (
                "effect" not in data
                and (shown := finite(d.get("EFFECT_SIZE"))) is not None
                and d.get("ESTIMABLE") != "NO"
            ) and (shown > 0 or not log_data):
                data["effect"] = log(shown) if log_data else shown
        if kind == O_E:
            stored = {k: v for k, v in stored.items() if k not in ("o_e", "var")}
        study = d.get("STUDY_ID", "")
        rows.append(
            Row(
                study_id=study,
                study=labels.get(study, study.removeprefix("STD-").replace("-", " ")),
                data=MappingProxyType(data),
                stored=MappingProxyType(stored),
                estimable=_yes(d.get("ESTIMABLE")),
                footnote=words(d.find("FOOTNOTE")),
                text=words(d) if kind == OTHER else "",
            )
        )
    return tuple(rows)


def _stored(e: Element, names: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({ours: e.attrib[theirs].strip() for theirs, ours in names.items() if e.get(theirs)})


def _yes(text: str | None) -> bool | None:
    return {"YES": True, "NO": False}.get(text or "")
