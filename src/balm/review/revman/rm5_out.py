"""A review's analyses as a Review Manager 5 file (``.rm5``), which GRADEpro imports and RevMan 5 opens.

GRADEpro takes studies, outcomes and pooled results from a RevMan 5 file (Cochrane Handbook 5.1, section 11.5.4; user
guides of Cochrane groups for GRADEpro GDT). The parts and attributes are those of the data-only files that the Cochrane
Library offers for download. RevMan 5 knows DerSimonian and Laird's random effects with Wald's interval alone, and
computes again what it opens: the totals written here are those, by RevMan's conventions, and where the review's own
result is another, :class:`Written` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from balm.review.package import Package
from balm.review.revman.analyse import Recomputed, analyse, columns_of
from balm.review.revman.model import CONTINUOUS, DICHOTOMOUS, GENERIC, Outcome, Row, Settings
from balm.review.synthesis import AnalysisResult, Synthesis
from balm.stats.measures import MEASURES
from balm.vocabulary.problems import InputError

#: Measures that RevMan computes from the groups, with the kind of outcome; all others are entered as effect and error.
_KINDS = dict.fromkeys(("RR", "OR", "RD", "PETO"), DICHOTOMOUS) | dict.fromkeys(("MD", "SMD"), CONTINUOUS)
_PREFIX = {DICHOTOMOUS: "DICH", CONTINUOUS: "CONT", GENERIC: "IV"}
#: Designs whose numbers of groups say all; a cross-over or cluster trial has an error of its own.
_PLAIN = ("parallel", "non-randomised", "not stated")
_TOTAL = {
    "estimate": "EFFECT_SIZE", "ci_low": "CI_START", "ci_high": "CI_END", "log_estimate": "LOG_EFFECT_SIZE",
    "log_ci_low": "LOG_CI_START", "log_ci_high": "LOG_CI_END", "tau2": "TAU2", "chi2": "CHI2", "df": "DF",
    "p_chi2": "P_CHI2", "i2": "I2", "z": "Z", "p": "P_Z", "events_1": "EVENTS_1", "n_1": "TOTAL_1",
    "events_2": "EVENTS_2", "n_2": "TOTAL_2", "studies": "STUDIES",
}  # fmt: skip
_ROW = {name: _TOTAL[name] for name in list(_TOTAL)[:6]} | {"weight": "WEIGHT", "se": "SE", "o_e": "O_E", "var": "VAR"}
_DATA = {
    "events_1": "EVENTS_1", "n_1": "TOTAL_1", "events_2": "EVENTS_2", "n_2": "TOTAL_2", "mean_1": "MEAN_1",
    "sd_1": "SD_1", "mean_2": "MEAN_2", "sd_2": "SD_2", "effect": "ESTIMATE", "se": "SE",
}  # fmt: skip
_COUNTS = ("DF", "EVENTS_1", "EVENTS_2", "TOTAL_1", "TOTAL_2", "STUDIES")
#: Characters that GRADEpro does not take in the name of an outcome.
_WORDS = {"&": "and", "<=": "at most", ">=": "at least", "≤": "at most", "≥": "at least", "<": "less than",
          ">": "more than"}  # fmt: skip
#: Agreement of the file's total with the review's, relative to the width of the interval.
CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Written:
    """The file, and what a reader of it has to know.

    differs : analysis id -> the review's result and that of the file, where they are not the same.
    left    : id of an analysis or network -> why it is not in the file.
    """

    data: bytes
    differs: Mapping[str, str]
    left: Mapping[str, str]


def rm5(synthesis: Synthesis) -> Written:
    """Every controlled analysis with a usable study, a comparison each group of them; :class:`InputError` if none."""
    package = synthesis.package
    left: dict[str, str] = {}
    differs: dict[str, str] = {}
    chosen: dict[str, list[AnalysisResult]] = {}
    for result in synthesis.analyses:
        if result.comparison.group_2 is None:
            left[result.id] = "has no control group"
        elif result.spec.outside:
            left[result.id] = "checks a figure outside the question of the review"
        elif result.whole is None:
            left[result.id] = "no study gives a usable number"
        else:
            chosen.setdefault(result.comparison.id, []).append(result)
    left |= {n.id: "RevMan 5 has no network meta-analysis" for n in synthesis.networks}
    if not chosen:
        raise InputError("no analysis between two groups has a usable study: there is nothing to write")
    root = Element("COCHRANE_REVIEW", TYPE="INTERVENTION", REVMAN_VERSION="5", ID="0" * 18, VERSION_NO="1.0",
                   STAGE="R", STATUS="A")  # fmt: skip
    SubElement(SubElement(root, "COVER_SHEET"), "TITLE").text = package.meta.title
    SubElement(SubElement(root, "MAIN_TEXT"), "SUMMARY")
    _studies(root, package, (r for results in chosen.values() for r in results))
    for name in ("CHARACTERISTICS_OF_STUDIES", "QUALITY_ITEMS", "SOF_TABLES", "ADDITIONAL_TABLES"):
        SubElement(root, name)
    data = SubElement(root, "ANALYSES_AND_DATA", CALCULATED_DATA="YES")
    for i, results in enumerate(chosen.values(), 1):
        comparison = SubElement(data, "COMPARISON", ID=f"CMP-{i:03}", NO=str(i))
        SubElement(comparison, "NAME").text = _name(results[0].comparison.name)
        for j, result in enumerate(results, 1):
            if said := _outcome(comparison, result, package, i, j):
                differs[result.id] = said
    for name in ("FIGURES", "FEEDBACK", "APPENDICES", "EXTENSIONS"):
        SubElement(root, name)
    indent(root, "")
    file = b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="utf-8") + b"\n"
    return Written(file, MappingProxyType(differs), MappingProxyType(left))


def _studies(root: Element, package: Package, results: Iterable[AnalysisResult]) -> None:
    of = _entries(package)
    used = {of.get(row.study, row.study) for result in results for row in result.rows}
    both = SubElement(root, "STUDIES_AND_REFERENCES")
    included = SubElement(SubElement(both, "STUDIES"), "INCLUDED_STUDIES")
    for s in package.studies:
        if s.study in used:
            year = str(s.year or "")
            one = SubElement(included, "STUDY", DATA_SOURCE="PUB", ID=_id(s.study), NAME=s.label, YEAR=year)
            SubElement(one, "IDENTIFIERS")
    SubElement(both, "OTHER_REFERENCES")


def _entries(package: Package) -> dict[str, str]:
    """A study that is one more line of another (``entry_of``) -> that one: in RevMan it is one study with its rows."""
    return {s.study: s.entry_of for s in package.studies if s.entry_of and s.entry_of != s.study}


def _outcome(comparison: Element, result: AnalysisResult, package: Package, i: int, j: int) -> str:
    """Add one outcome; what to say where its total is not the review's."""
    outcome = _as_revman(result, package)
    found = analyse(outcome, outcome.rows)
    s = outcome.settings
    prefix = _PREFIX[outcome.type]
    told = {"CI_STUDY": f"{100 * s.level_study:g}", "CI_TOTAL": f"{100 * s.level_total:g}"}
    if outcome.type == GENERIC:
        told["LOG_DATA"] = "YES" if s.log_data else "NO"
    else:
        told["EFFECT_MEASURE"] = "PETO_OR" if s.method == "PETO" else s.measure
    if outcome.type == DICHOTOMOUS:
        told |= {"METHOD": s.method, "SWAP_EVENTS": "NO"}
    if outcome.type == CONTINUOUS:
        told["UNITS"] = result.outcome.unit or ""
    told |= {"RANDOM": "YES" if s.model == "random" else "NO", "TOTALS": s.totals, "SUBGROUPS": "NO",
             "SUBGROUP_TEST": "NO", "SORT_BY": "STUDY", "SCALE": "100.0"}  # fmt: skip
    told |= {"ID": f"CMP-{i:03}.{j:02}", "NO": str(j)}
    at = SubElement(comparison, f"{prefix}_OUTCOME", told)
    at.set("ESTIMABLE", "YES" if found.total is not None else "NO")
    if found.total is not None:
        studies = {row.study_id for row in outcome.rows}  # a study is counted once, whatever lines it has
        _numbers(at, {**found.total, "studies": float(len(studies))}, _TOTAL)
        at.set("WEIGHT", "100.0")
    lower = result.outcome.direction.startswith("lower")
    one, two = result.comparison.group_1, result.comparison.group_2 or ""
    for tag, text in (
        ("NAME", outcome.name), ("GROUP_LABEL_1", one), ("GROUP_LABEL_2", two),
        ("GRAPH_LABEL_1", f"Favours {one if lower else two}"), ("GRAPH_LABEL_2", f"Favours {two if lower else one}"),
    ):  # fmt: skip
        SubElement(at, tag).text = _name(text)
    if outcome.type == GENERIC:
        SubElement(at, "EFFECT_MEASURE").text = s.measure_name
    for order, (row, numbers) in enumerate(zip(outcome.rows, found.rows, strict=True), 1):
        line = SubElement(at, f"{prefix}_DATA", STUDY_ID=row.study_id, ORDER=str(order))
        line.set("ESTIMABLE", "YES" if numbers is not None else "NO")
        _numbers(line, numbers or {}, _ROW)
        _numbers(line, row.data, _DATA)
    return _difference(result, found)


def _as_revman(result: AnalysisResult, package: Package) -> Outcome:
    """The analysis as an outcome of RevMan: from the groups where they say all, else from effects and their errors."""
    of, labels = _entries(package), {s.study: s.label for s in package.studies}
    fit, spec = result.whole, result.spec
    assert fit is not None
    effects = {label: (float(y), float(v) ** 0.5) for label, y, v in
               zip(fit.effects.study, fit.effects.effect, fit.effects.variance, strict=True)}  # fmt: skip
    rows = [row for row in result.rows if row.label in effects]
    kind = _KINDS.get(result.measure, GENERIC)
    needed = columns_of(Outcome("", "", "", kind, Settings()))
    if any(row.design not in _PLAIN or not set(needed) <= row.values.keys() for row in rows):
        kind = GENERIC
    ratio = kind == GENERIC and result.measure in MEASURES and MEASURES[result.measure].scale.ratio
    made = []
    for row in rows:
        if kind == GENERIC:
            sizes = {name: row.values[name] for name in ("n_1", "n_2") if row.values.get(name, 0.0) > 0.0}
            data = dict(zip(("effect", "se"), effects[row.label], strict=True)) | sizes
        else:
            data = {name: float(row.values[name]) for name in needed}
        study = of.get(row.study, row.study)
        label = labels[study] if study != row.study else row.label
        made.append(Row(study_id=_id(study), study=label, data=MappingProxyType(data)))
    name = MEASURES[result.measure].name if result.measure in MEASURES else result.measure
    settings = Settings(
        measure="" if kind == GENERIC else "OR" if result.measure == "PETO" else result.measure,
        method="PETO" if result.measure == "PETO" else "MH" if spec.method == "mantel-haenszel" else "IV",
        model="random" if spec.model == "random" else "common",
        measure_name=name[:1].upper() + name[1:],
        totals="YES" if spec.overall else "NO",
        log_data=ratio,
        level_study=spec.level,
        level_total=spec.level,
    )
    windows = ", ".join(w.name for w in result.windows)
    title = result.title if not windows or windows in result.title else f"{result.title}, {windows}"
    return Outcome(result.id, "", _name(title), kind, settings, tuple(made))


def _difference(result: AnalysisResult, found: Recomputed) -> str:
    fit = result.whole
    assert fit is not None
    shown = fit.displayed
    ours = (shown.estimate, shown.interval.low, shown.interval.high)
    if found.fit is None or found.total is None:
        return f"the review has {_said(ours)}, the file has no total: {found.why or 'not estimable'}"
    theirs = (found.total["estimate"], found.total["ci_low"], found.total["ci_high"])
    width = abs(ours[2] - ours[1]) or 1.0
    if all(abs(a - b) <= CLOSE * width for a, b in zip(ours, theirs, strict=True)):
        return ""
    return f"the review has {_said(ours)}, the file {_said(theirs)} by RevMan 5's method"


def _said(numbers: tuple[float, float, float]) -> str:
    estimate, low, high = (f"{x:.4g}" for x in numbers)
    return f"{estimate} ({low} to {high})"


def _numbers(element: Element, values: Mapping[str, float], names: Mapping[str, str]) -> None:
    for ours, theirs in names.items():
        value = values.get(ours)
        if value is not None and isfinite(value):
            whole = theirs in _COUNTS and float(value).is_integer()
            element.set(theirs, str(int(value)) if whole else repr(float(value)))


def _name(text: str) -> str:
    for sign, word in _WORDS.items():
        text = text.replace(sign, f" {word} ")
    return " ".join(text.split())


def _id(study: str) -> str:
    """RevMan's id of a study: letters, digits and hyphens, every other character by its number.

    >>> _id("Noppers_2011")
    'STD-Noppers_x005f_2011'
    """
    return "STD-" + re.sub(r"[^A-Za-z0-9-]", lambda found: f"_x{ord(found[0]):04x}_", study)
