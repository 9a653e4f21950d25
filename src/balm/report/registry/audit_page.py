# ruff: noqa: E501  (a row of a table of the report is one line)
"""The audit report as one HTML file that needs nothing else, made from what may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from balm.plots.control_chart import control_chart_figure
from balm.plots.figure import Figure
from balm.plots.kaplan_meier import kaplan_meier_figure
from balm.plots.means_over_time import means_over_time
from balm.plots.participant_flow import participant_flow_figure
from balm.plots.site_funnel import site_funnel
from balm.registry.against_evidence import BesideEvidence
from balm.registry.audit import Audit
from balm.report.html_report.table import Cell, Row, Table, columns
from balm.report.registry.audit_words import count, estimate, held_back_words, methods, of, p_value, per_cent, share
from balm.report.registry.shown import shown
from balm.vocabulary.numbers import fixed
from balm.vocabulary.problems import InputError

NOT_ONE = "There is no control group: nothing here is the effect of the treatment."


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with its caption."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A section of the page: what was found, words, figures, tables, points."""

    id: str
    title: str
    finding: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    figures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    points: list[str] = field(default_factory=list)


def audit_page(found: Audit, evidence: BesideEvidence | None = None) -> str:
    """The report as HTML text; the same audit gives the same bytes."""
    v = shown(found, evidence)
    sections = [
        _flow(v), _people(v), _responders(v), _pain(v), _relief(v, found), _harms(v), _doses(v), _sites(v, found),
        _over_time(v, found), _evidence(v), Section("methods", "Methods", words=methods(v)),
    ]  # fmt: skip
    first = next(r for r in v["responders"] if r["primary"])
    scope = "" if v["site"] == "all sites" else f" of {v['site']}"
    lead = (
        f"{v['therapy']}{scope}, as of {v['as_of']}. {first['label']} at {v['visit']['label']}: "
        f"{share(first['over_assessed'])} of those assessed, {share(first['over_treated'])} of all treated. {NOT_ONE}"
    )
    facts = [
        ("Treated", count(v["flow"]["treated"])),
        (f"Due at {v['visit']['label']}", count(v["flow"]["due"])),
        ("Analysed", count(v["flow"]["analysed"])),
        ("Sessions", str(v["doses"]["sessions"])),
        ("Sites", v["site"] if scope else str(len(v["sites"]))),
    ]
    return _environment().get_template("audit.html").render(
        shown=v, sections=sections, lead=lead, facts=facts, held=held_back_words(v), style=_style(), version=_version()
    )  # fmt: skip


def figures(found: Audit) -> dict[str, Figure]:
    """The figures of the report by name, for files of their own."""
    v = shown(found)
    made = {
        "participant-flow": _flow_figure(v),
        "pain-over-time": _pain_figure(v),
        "duration-of-relief": _relief_figure(v, found),
        "sites": _site_figure(v),
        "responders-over-time": _chart_figure(v, found, "responders"),
        "change-over-time": _chart_figure(v, found, "changes"),
    }
    return {name: figure for name, figure in made.items() if figure is not None}


def _title(v: dict[str, Any], text: str) -> str:
    return f"SIMULATED: {text}" if v["simulated"] else text


def _table(
    v: dict[str, Any], name: str, caption: str, heads: tuple[str, ...], rows: list[list[str]], note: str = ""
) -> Table:
    cells = tuple(
        Row(tuple(Cell(text, absent=text in ("", "held back", "not estimated")) for text in row)) for row in rows
    )
    assert all(len(row) == len(heads) for row in rows), name
    mark = "simulated-" if v["simulated"] else ""
    return Table(f"table-{name}", _title(v, caption), columns(*heads), cells, note=note, file=f"{mark}{name}")


def _flow(v: dict[str, Any]) -> Section:
    f = v["flow"]
    rows = [
        ("Enrolled", "enrolled", ""),
        ("Refused or withdrew", "refused", "enrolled"),
        ("Not treated", "not_treated", "enrolled"),
        ("Treated", "treated", "enrolled"),
        (f"{v['visit']['label']} not due yet", "not_due", "treated"),
        ("Due", "due", "treated"),
        ("Followed", "followed", "due"),
        ("Not followed", "not_followed", "due"),
        ("Analysed", "analysed", "due"),
    ]
    table = _table(
        v, "flow", "Participants at each stage", ("#Stage", ">People", "Of", ">Per cent"),
        [[name, count(f[key]), base, _per_cent(f[key], f.get(base)) if base else ""] for name, key, base in rows],
        f"Consent to the registry not recorded for {count(f['consent_not_recorded'])} of those treated.",
    )  # fmt: skip
    figure = _flow_figure(v)
    return Section(
        "flow",
        "Flow of participants",
        finding=[
            f"{count(f['analysed'])} of {count(f['due'])} people whose visit at {v['visit']['label']} is due "
            f"were analysed; {count(f['not_followed'])} were not followed."
        ],
        figures=[Picture(figure.svg, "Flow of participants (STROBE, item 13).")],
        tables=[table],
    )


def _flow_figure(v: dict[str, Any]) -> Figure:
    f = v["flow"]

    def line(name: str, n: int | None) -> list[str]:
        return [] if n == 0 else [f"{name}: {count(n)}"]

    reasons = [f"{reason}: {count(n)}" for reason, n in f["reasons"].items()]
    why = [f"{reason}: {count(n)}" for reason, n in f["why_not_analysed"].items()]
    steps = [
        ("Enrolled", count(f["enrolled"]),
         line("Refused or withdrew", f["refused"]) + line("Not treated", f["not_treated"])),
        ("Treated", count(f["treated"]), line(f"{v['visit']['label']} not due yet", f["not_due"])),
        (f"Due at {v['visit']['label']}", count(f["due"]), line("Not followed", f["not_followed"]) + reasons),
        ("Followed", count(f["followed"]), ["Not analysed:", *why] if why else []),
        ("Analysed", count(f["analysed"]), []),
    ]  # fmt: skip
    return participant_flow_figure(steps, title=_title(v, "Flow of participants"))


def _people(v: dict[str, Any]) -> Section:
    p = v["people"]
    rows = [["People treated", count(p["n"])]]
    if p["age"] is not None:
        a = p["age"]
        rows.append(
            ["Age, median (quartiles)", f"{a['median']:g} ({a['q1']:g} to {a['q3']:g}); known for {count(a['known'])}"]
        )
    else:
        rows.append(["Age", "not known for enough people"])
    rows += [[f"Sex: {name}", count(n)] for name, n in p["sex"].items()]
    rows += [[f"Pain type: {name}", count(n)] for name, n in p["pain_type"].items()]
    rows += [[f"Treatment ended: {name}", count(n)] for name, n in v["stops"].items()]
    return Section(
        "people", "People treated", tables=[_table(v, "people", "People treated", ("#Characteristic", "Value"), rows)]
    )


def _responders(v: dict[str, Any]) -> Section:
    first = next(r for r in v["responders"] if r["primary"])
    rows = [
        [r["label"] + (" (primary)" if r["primary"] else ""), of(r["over_assessed"]), share(r["over_assessed"]),
         of(r["over_treated"]), share(r["over_treated"])]
        for r in v["responders"]
    ]  # fmt: skip
    types = [
        [r["label"], s["pain_type"], of(s), share(s), p_value(r["p_pain_type"]) + (", chi-squared" if r["test"] != "exact" else "") if i == 0 else ""]
        for r in v["responders"] for i, s in enumerate(r["by_pain_type"])
    ]  # fmt: skip
    why = {reason: n for r in v["responders"] for reason, n in r["not_assessed"].items()}
    words = [] if not why else ["Not assessed, by reason (largest over the definitions): " + "; ".join(
        f"{reason}: {count(n)}" for reason, n in why.items()) + "."]  # fmt: skip
    return Section(
        "responders",
        f"Responders at {v['visit']['label']}",
        finding=[
            f"{first['label']}: {share(first['over_assessed'])} of those assessed; {share(first['over_treated'])} of all "
            "treated, counting everybody without an answer as no responder."
        ],
        words=words,
        tables=[
            _table(v, "responders", f"Responders at {v['visit']['label']} under every definition set beforehand",
                   ("#Definition", ">Of those assessed", "% (95% interval)", ">Of all treated", "% (95% interval)"), rows,
                   "Wilson intervals."),
            _table(v, "responders-by-pain-type", "Responders among those assessed, by pain type",
                   ("#Definition", "Pain type", ">Responders", "% (95% interval)", "p (exact)"), types,
                   "Fisher-Freeman-Halton test over the pain types of each definition; no correction for five definitions."),
        ],
    )  # fmt: skip


def _pain(v: dict[str, Any]) -> Section:
    p = v["pain"]
    rows = [
        [x["label"], count(x["observed"]), count(x["missing"]), count(x["treated_again"]),
         count(x["not_due"]), estimate(x["mean"]), "" if x["day"] == 0 else estimate(x["change"])]
        for x in p["visits"]
    ]  # fmt: skip
    note = f"Model with {count(p['people'])} people. " if p["structure"] else ""
    if p["left_out"]:
        note += f"Too few answers for the model: {', '.join(p['left_out'])}. "
    figure = _pain_figure(v)
    primary = next(x for x in p["visits"] if x["id"] == v["visit"]["id"])
    return Section(
        "pain",
        "Pain over time",
        finding=[f"Change from baseline at {primary['label']}: {estimate(primary['change'])} points of 10. {NOT_ONE}"]
        if primary["change"] else [p["note"] or "No model could be fitted at this visit."],
        figures=[Picture(figure.svg, "Means of the model with 95% intervals; below, how many answered.")] if figure else [],
        tables=[_table(v, "pain", "Pain at each visit", ("#Visit", ">Answered", ">Missing", ">Treated again", ">Not due yet",
                       "Mean (95% interval)", "Change (95% interval)"), rows, (note + p["note"]).strip())],
    )  # fmt: skip


def _pain_figure(v: dict[str, Any]) -> Figure | None:
    drawn = [x for x in v["pain"]["visits"] if x["mean"] is not None]
    if not drawn:
        return None
    return means_over_time(
        [x["day"] for x in drawn], [x["label"] for x in drawn],
        [(x["mean"]["estimate"], x["mean"]["low"], x["mean"]["high"]) for x in drawn],
        [count(x["observed"]) for x in drawn],
        y_title="Average pain in 7 days, 0 to 10", title=_title(v, "Pain over time"),
    )  # fmt: skip


def _relief(v: dict[str, Any], found: Audit) -> Section:
    r = v["relief"]
    if r is None:
        return Section("relief", "Duration of relief", words=["Too few people to say anything."])
    median = "was not reached" if r["median"] is None else (
        f"was {r['median']:g} days ({_day(r['median_low'])} to {_day(r['median_high'])})")  # fmt: skip
    rows = [
        [f"{d['day']} days", count(d["at_risk"]),
         "held back" if d["at_risk"] is None else "not reached" if d["share"] is None else
         f"{per_cent(d['share'])}%" + ("" if d["low"] is None else f" ({per_cent(d['low'])} to {per_cent(d['high'])})")]
        for d in r["days"]
    ]  # fmt: skip
    figure = _relief_figure(v, found)
    how = "; ".join(f"{name}: {count(n)}" for name, n in r["how"].items())
    return Section(
        "relief",
        "Duration of relief",
        finding=[f"The median duration of relief {median}, in {count(r['n'])} people with a baseline and a follow-up."],
        words=[f"How it ended: {how}."],
        figures=[Picture(figure.svg, "Kaplan-Meier curve with 95% band; small strokes: end of following without a loss of "
                 "effect.")] if figure else [],
        tables=[_table(v, "relief", "People still relieved", ("#Since the last infusion", ">Still followed",
                       "Still relieved (95% interval)"), rows)],
    )  # fmt: skip


def _relief_figure(v: dict[str, Any], found: Audit) -> Figure | None:
    if v["relief"] is None or found.relief is None:
        return None
    return kaplan_meier_figure(
        found.relief, title=_title(v, "Duration of relief"), x_title="Days since the last treatment session",
        y_title="Still relieved (%)", fewest=v["small_cells"],
    )  # fmt: skip


def _day(day: float | None) -> str:
    return "not reached" if day is None else f"{day:g}"


def _harms(v: dict[str, Any]) -> Section:
    h = v["harms"]
    rows = [["Any adverse event", of(h["any"]), share(h["any"])]]
    rows += [[f"Worst event: {s['severity']}", of(s), share(s)] for s in h["worst"]]
    rows.append(["Serious (ICH E2A)", of(h["serious"]), share(h["serious"])])
    asked = (
        f"Asked at least once: {count(h['asked'])} of {count(h['people'])}; asked at every session: "
        f"{count(h['asked_every_session'])}; never asked: {count(h['never_asked'])}; not recorded whether "
        f"asked: {count(h['not_recorded'])}. Who was not asked is not counted as without events."
    )
    terms = [[t["term"], str(t["people"])] for t in h["terms"]]
    tables = [_table(v, "harms", "People by their worst adverse event, of those asked",
                     ("#Severity", ">People", "% (95% exact interval)"), rows)]  # fmt: skip
    if terms:
        rare = (
            f"{h['rare_terms']} terms in fewer than {v['small_cells']} people are not listed."
            if h["rare_terms"]
            else ""
        )
        tables.append(_table(v, "harm-terms", "Adverse events by term", ("#Term", ">People"), terms, rare))
    return Section("harms", "Adverse events", finding=[f"Any adverse event: {share(h['any'])} of those asked."],
                   words=[asked], tables=tables)  # fmt: skip


def _doses(v: dict[str, Any]) -> Section:
    d = v["doses"]
    rows = [
        [name, *([f"{fixed(s['median'], digits)} ({fixed(s['q1'], digits)} to {fixed(s['q3'], digits)})",
                  f"{fixed(s['min'], digits)} to {fixed(s['max'], digits)}"] if (s := d[key]) else ["fewer than 5 sessions", ""])]
        for name, key, digits in (("mg in a session", "mg", 0), ("mg/kg in a session", "mg_per_kg", 2),
                                  ("Highest rate, mg/kg/h", "rate_mg_kg_h", 2))
    ]  # fmt: skip
    limits = [
        [a["label"], a["of"], _ends(a["low"], a["high"]), str(a["within"]), str(a["below"]), str(a["above"]),
         str(a["not_comparable"]), a["form"], a["source"]]
        for a in d["limits"]
    ]  # fmt: skip
    tables = [_table(v, "doses", "Doses given", ("#Quantity", "Median (quartiles)", "Smallest to largest"), rows,
                     f"{d['worked_out']} of {d['sessions']} sessions could be worked out; {d['signed']} are signed.")]  # fmt: skip
    words = ["Limits are counted by session; a limit stated by several sources stands once for each, as they contradict each "
             "other."] if limits else ["No limits of guidance were given to compare with."]  # fmt: skip
    if limits:
        tables.append(_table(v, "limits", "Doses against limits of guidance", ("#Statement", "Quantity", "Limit", ">Within",
                      ">Below", ">Above", ">Not comparable", "Form", "Source"), limits))  # fmt: skip
    return Section("doses", "Doses against guidance", words=words, tables=tables)


def _ends(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"at most {high:g}" if low is None and high is not None else f"at least {low:g}"
    return f"{low:g} to {high:g}"


def _sites(v: dict[str, Any], found: Audit) -> Section:
    rows = [[s["name"], of(s), share(s)] for s in v["sites"]]
    figure = _site_figure(v)
    return Section(
        "sites", "Sites",
        words=["Sites are not ranked. A point outside the limits asks for a look at case mix, missing follow-up and practice, "
               "in this order. Nothing here is adjusted for case mix."] if len(rows) > 1 else
        ["There is one site: nothing is compared."],
        figures=[Picture(figure.svg, "Responders by site (primary definition, of those assessed).")] if figure else [],
        tables=[_table(v, "sites-table", "Responders by site, of those assessed", ("#Site", ">Responders",
                       "% (95% exact interval)"), rows)],
    )  # fmt: skip


def _site_figure(v: dict[str, Any]) -> Figure | None:
    seen = [s for s in v["sites"] if not s["held_back"] and s["n"]]
    if len(seen) < 2:
        return None
    return site_funnel([s["name"] for s in seen], [s["x"] for s in seen], [s["n"] for s in seen],
                       title=_title(v, "Responders by site"))  # fmt: skip


def _over_time(v: dict[str, Any], found: Audit) -> Section:
    pictures, tables, words = [], [], []
    for name, caption in (("responders", "Share of responders"), ("changes", "Mean change of pain")):
        chart = v["over_time"][name]
        if chart is None:
            continue
        figure = _chart_figure(v, found, name)
        if figure is not None:
            by = v["over_time"]["responders_by"] if name == "responders" else "half-year"
            pictures.append(Picture(figure.svg, f"{caption} by the {by} in which courses began; {chart['kind']}."))
        broken = [(p["period"], r) for p in chart["points"] for r in p["signals"]]
        said = "; ".join(f"{period}: {v['over_time']['rules'][r - 1]}" for period, r in broken)
        few = " Fewer than 12 points: the limits are provisional." if chart["few"] else ""
        words.append(f"{caption}: {said or 'no rule is broken'}.{few}")
        per = 100 if name == "responders" else 1
        rows = [
            [p["period"], "" if p["n"] is None else str(p["n"]), "held back" if p["value"] is None else fixed(per * p["value"], 1),
             "held back" if p["low"] is None else f"{fixed(per * p['low'], 1)} to {fixed(per * p['high'], 1)}", ", ".join(str(r) for r in p["signals"])]
            for p in chart["points"]
        ]  # fmt: skip
        tables.append(_table(v, f"over-time-{name}", f"{caption} over time", ("#Period", ">People", ">Value", "Limits",
                      "Rules broken"), rows, f"Centre {fixed(per * chart['centre'], 1)}."))  # fmt: skip
    return Section(
        "over-time", "Over time", words=words or ["Fewer than two periods: no chart."], figures=pictures, tables=tables
    )


def _chart_figure(v: dict[str, Any], found: Audit, name: str) -> Figure | None:
    chart = v["over_time"][name]
    source = found.over_time.responders if name == "responders" else found.over_time.changes
    if chart is None or source is None:
        return None
    hidden = [p["value"] is None for p in chart["points"]]
    title = "Responders over time" if name == "responders" else "Change of pain over time"
    return control_chart_figure(
        source, [p["period"] for p in chart["points"]], hidden=hidden, per_cent=name == "responders",
        y_title="Responders (%)" if name == "responders" else "Mean change", title=_title(v, title),
    )  # fmt: skip


def _evidence(v: dict[str, Any]) -> Section:
    e = v["evidence"]
    if e is None:
        return Section("evidence", "Beside the evidence",
                       words=["No review was given. `balm registry audit DIR --review REVIEW` sets the trials beside these "
                              "results."])  # fmt: skip
    cohorts = [
        [c["label"], of(c["cohort_assessed"]), share(c["cohort_assessed"]), of(c["cohort_treated"]), share(c["cohort_treated"]),
         share(c["clinic_assessed"]) if c["clinic_assessed"] else "no such definition",
         share(c["clinic_treated"]) if c["clinic_treated"] else "", "; ".join(c["why_not"]) or "comparable"]
        for c in e["cohorts"]
    ]  # fmt: skip
    trials = []
    for t in e["trials"]:
        digits = 2 if t["measure"] in ("RR", "OR") else 1
        effect = estimate(t, digits) if t["trials"] else "no trial"
        prediction = (
            f"{fixed(t['prediction'][0], digits)} to {fixed(t['prediction'][1], digits)}" if t["prediction"] else "none"
        )
        arms = f"{t['arms']['x']}/{t['arms']['n']}" if t["arms"] else ""
        clinic = ("" if t["visit"] is None else f"change {estimate(t['clinic_change'])}" if t["clinic_change"] else
                  f"{share(t['clinic_response'])}" + (f"; neuropathic {share(t['clinic_response_neuropathic'])}"
                  if t["clinic_response_neuropathic"] else "") if t["clinic_response"] else "cannot be compared")  # fmt: skip
        trials.append(
            [
                t["title"],
                str(t["trials"]),
                ", ".join(t["pain_in_trials"]),
                f"{t['measure']} {effect}" if t["trials"] else effect,
                prediction,
                arms,
                f"{t['visit'] or 'none'}: {clinic}" if clinic else "cannot be compared",
                "; ".join(t["why_not"]),
            ]
        )
    tables = []
    if cohorts:
        tables.append(_table(v, "evidence-cohorts", "Beside published cohorts, as published", ("#Cohort", ">Of those analysed",
                      "% (95% interval)", ">Of all treated", "% (95% interval)", "Here, of those assessed",
                      "Here, of all treated", "+Reservations"), cohorts,
                      "A published cohort is never turned into people; what it does not report stays missing."))  # fmt: skip
    if trials:
        tables.append(_table(v, "evidence-trials", f"Beside the trials of: {e['review']}", ("#Result and window", ">Trials", "Pain in the trials",
                      "Effect against control (95% interval)", "Prediction interval", ">Responders, treated arms",
                      "+Here (no control)", "+Reservations"), trials))  # fmt: skip
    return Section("evidence", "Beside the evidence",
                   words=["Two kinds of numbers stand beside each other here and must not be subtracted: the trials' effect "
                          "against a control group, and this registry's change without one."],
                   tables=tables, points=e["reasons"])  # fmt: skip


def _per_cent(x: int | None, n: int | None) -> str:
    return "held back" if x is None or n is None else "" if n == 0 else per_cent(x / n)


@cache
def _environment() -> Any:
    try:
        import jinja2
    except ImportError:
        raise InputError("the HTML report needs the jinja2 package: pip install 'balm[app]'") from None
    return jinja2.Environment(
        loader=jinja2.PackageLoader("balm.report", "registry"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


@cache
def _style() -> str:
    return (resources.files("balm.report") / "html_report" / "style.css").read_text("utf-8")


def _version() -> str:
    import balm

    return balm.__version__
