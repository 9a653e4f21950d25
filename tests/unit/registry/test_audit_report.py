# ruff: noqa: E501  (what is said of an audit is one line)
"""The audit report: what is held back, what stands beside the evidence, the page, its tables and figures, the command."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

import balm.report.registry.held_back as held_back_module
from balm.actions.guidance import load
from balm.actions.registry_audit import audit_registry
from balm.actions.registry_evidence import evidence_of
from balm.actions.registry_folder import new_demonstration, write_files
from balm.cli.main import main
from balm.guidance.limits import limits_doses, stated_limits
from balm.plots.control_chart import control_chart_figure
from balm.plots.kaplan_meier import kaplan_meier_figure
from balm.plots.means_over_time import means_over_time
from balm.plots.participant_flow import participant_flow_figure
from balm.plots.site_funnel import site_funnel
from balm.registry.against_evidence import beside_evidence
from balm.registry.audit import Audit, audit
from balm.registry.demonstration import END, demonstration_files
from balm.registry.reading import read_registry
from balm.registry.small_cells import LINE, PART, TOTAL, Cells, _givers, held_back, partition, shares_hidden
from balm.report.registry.audit_page import audit_page, figures
from balm.report.registry.held_back import held_back_of
from balm.report.registry.shown import shown
from balm.stats.control_charts import p_chart
from balm.stats.kaplan_meier import kaplan_meier
from balm.vocabulary.problems import InputError
from tests.unit.registry.small import files, with_cell

REVIEW = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"


@pytest.fixture(scope="module")
def found() -> Audit:
    registry, _ = read_registry(demonstration_files(people=90), today=END.date())
    assert registry is not None
    return audit(registry, END.date())


def small_registry(**changed: str) -> Audit:
    registry, problems = read_registry(files(**changed), today=date(2026, 11, 22))
    assert registry is not None, problems
    return audit(registry, date(2026, 11, 22))


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, path)
    else:
        yield path, value


#: Keys of the values that count people.
PEOPLE = re.compile(r"\.(x|n|observed|treated_again|enrolled|treated|due|followed|analysed|people|asked|how\..+|"
                    r"reasons\.stopped.+|stops\..+|sex\.(?!not recorded).+|pain_type\..+|at_risk|refused|not_treated)$")  # fmt: skip


def test_nothing_that_is_shown_counts_one_to_four_people() -> None:
    for one in (small_registry(), audit(read_registry(demonstration_files(people=25))[0], END.date())):  # type: ignore[arg-type]
        seen = [
            (p, v)
            for p, v in numbers(shown(one))
            if PEOPLE.search(p) and isinstance(v, int) and not isinstance(v, bool)
        ]
        assert seen and not [(p, v) for p, v in seen if 1 <= v <= 4]


def test_without_a_limit_everything_is_shown() -> None:
    text = files()["registry.toml"].decode().replace("small_cells = 5", "small_cells = 0")
    values = shown(small_registry(**{"registry.toml": text}))
    assert values["flow"]["treated"] == 2 and values["responders"][0]["over_treated"]["x"] == 1
    assert values["harms"]["never_asked"] == 1


def test_one_part_alone_is_never_hidden() -> None:
    assert partition({"a": 30, "b": 2, "c": 9, "d": 0}, 5) == {"a": 30, "b": None, "c": None, "d": 0}
    assert partition({"a": 30, "b": 9}, 5) == {"a": 30, "b": 9}
    assert partition({"a": 1, "b": 1, "c": 1, "d": 40}, 5) == {"a": None, "b": None, "c": None, "d": None}
    assert partition({"a": 3}, 5) == {"a": None} and partition({"a": 3}, 0) == {"a": 3}
    assert shares_hidden([(48, 128), (48, 140)], 5) is False and shares_hidden([(48, 50)], 5) is True


def secrets_that_follow(cells: Cells, hidden: frozenset[str], limit: int) -> list[str]:
    """Small counts that the printed ones determine, found by ranks of matrices: another way than the program's."""
    names = sorted(cells.counts)
    unknown = [n for n in names if n in hidden]
    matrix = np.array([[(n == whole) - (n in parts) for n in unknown] for whole, parts in cells.sums], dtype=float)
    if not unknown:
        return []
    rank = np.linalg.matrix_rank(matrix)
    return [
        n for i, n in enumerate(unknown)
        if 0 < cells.counts[n] < limit and n not in cells.untold and np.linalg.matrix_rank(np.vstack([matrix, np.eye(len(unknown))[i]])) == rank
    ]  # fmt: skip


def test_no_small_number_follows_from_the_printed_ones() -> None:
    cells = Cells()
    for name, n, dear in (("due", 120, TOTAL), ("followed", 117, LINE), ("not followed", 3, LINE),
                          ("analysed", 110, TOTAL), ("no baseline", 7, PART)):  # fmt: skip
        cells.add(name, n, dear)
    cells.sum("due", ["followed", "not followed"])
    cells.sum("followed", ["analysed", "no baseline"])
    assert held_back(cells, 5) == {"followed", "not followed", "no baseline"}
    assert held_back(cells, 0) == frozenset()
    with pytest.raises(ValueError, match="is not the sum"):
        cells.sum("due", ["analysed"])
    rng = random.Random(6)
    for _ in range(60):
        cells = Cells()
        groups = [[rng.choice([0, 1, 2, 3, 6, 9, 20]) for _ in range(3)] for _ in range(3)]
        cells.add("all", sum(map(sum, groups)), TOTAL)
        for i, row in enumerate(groups):
            cells.add(f"row{i}", sum(row), LINE)
            for j, n in enumerate(row):
                cells.add(f"cell{i}{j}", n, PART)
            cells.sum(f"row{i}", [f"cell{i}{j}" for j in range(3)])
        for j in range(3):
            cells.add(f"column{j}", sum(row[j] for row in groups), LINE)
            cells.sum(f"column{j}", [f"cell{i}{j}" for i in range(3)])
        cells.sum("all", ["row0", "row1", "row2"])
        cells.sum("all", ["column0", "column1", "column2"])
        hidden = held_back(cells, 5)
        assert {n for n, k in cells.counts.items() if 0 < k < 5} <= hidden
        assert secrets_that_follow(cells, hidden, 5) == []
        spare = [n for n in hidden if not 0 < cells.counts[n] < 5 and cells.counts[n]]
        if not _givers(cells, set(hidden), 5):  # nothing is held back that may be printed
            assert all(_givers(cells, hidden - {n}, 5) for n in spare)


def test_as_much_is_told_as_is_safe(found: Audit) -> None:
    clinic = audit(read_registry(demonstration_files())[0], END.date(), site="sim-north")  # type: ignore[arg-type]
    for one in (found, clinic):
        values = shown(one)
        assert values["counts_held_back"] < values["counts"] / 8
        assert str(values["counts_held_back"]) in audit_page(one)
    over_time = shown(clinic)["over_time"]
    assert over_time["responders_by"] == "year"
    assert all(p["value"] is not None for p in over_time["responders"]["points"])
    shares = [r["over_assessed"]["share"] for r in shown(clinic)["responders"]]
    assert None not in shares


def test_the_audits_limits_are_those_of_the_guidance() -> None:
    guidance, _ = load(str(REVIEW))
    stated = stated_limits(guidance.rules, "chronic")
    _, _, limits, _ = evidence_of(REVIEW)
    assert limits and [x.id for x in limits] == [f"{s.rule.id}-{s.what}" for s in stated]
    for limit, s in zip(limits, stated, strict=True):
        assert (limit.low, limit.high) == (s.limit.to(limit.of.split()[1]).low, s.limit.to(limit.of.split()[1]).high)
    checked = {r.id for r in guidance.rules if limits_doses(r)}
    assert {s.rule.id for s in stated} <= checked  # nothing limits a clinic that does not limit a plan
    course = replace(next(s.rule for s in stated if s.what == "total"), total_per="course")
    assert not [s for s in stated_limits([course], "chronic") if s.what == "total"]


def test_the_report_gives_no_small_number_away(found: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Cells] = []
    monkeypatch.setattr(
        held_back_module, "held_back", lambda cells, limit: kept.append(cells) or held_back(cells, limit)
    )
    for one in (found, small_registry()):
        found_back = held_back_of(one, 5)
        assert secrets_that_follow(kept[-1], found_back.hidden, 5) == []
        flow = shown(one)["flow"]
        assert None in (flow["enrolled"], flow["treated"]) or not 0 < flow["enrolled"] - flow["treated"] < 5
    # of the people of whom nothing is told the number is told, and both denominators stand
    values = shown(found)
    assert values["flow"]["not_followed"] is not None
    assert not any(r["over_treated"]["held_back"] or r["over_assessed"]["held_back"] for r in values["responders"])


def counts_of_people(one: Audit) -> dict[str, frozenset[str]]:
    """The people behind every count of responders, and of those assessed, of the definitions and their pain types."""
    found = {}
    for r in one.responders:
        at = f"responder.{r.definition.id}"
        for t in (None, *(t for t, _ in r.by_pain_type)):
            own = [a for a in r.answered if t in (None, a.pain_type) and a.status in ("responder", "no responder")]
            found[f"{at}.assessed" if t is None else f"{at}.type.{t}.n"] = frozenset(a.participant for a in own)
            yes = frozenset(a.participant for a in own if a.status == "responder")
            found[f"{at}.yes" if t is None else f"{at}.type.{t}.yes"] = yes
    return found


def test_no_two_printed_counts_differ_by_few_people() -> None:
    """Brute force: of all pairs of printed counts, one of whose people are among the other's, in many small clinics."""
    registry, _ = read_registry(demonstration_files())
    assert registry is not None
    would = 0
    for year, first, months in ((2023, 5, 4), (2024, 1, 9), (2024, 9, 4), (2025, 5, 6)):
        last = first + months - 1
        since, until = date(year, first, 1), date(year + (last > 12), (last - 1) % 12 + 1, 28)
        one = audit(registry, END.date(), since=since, until=until)
        held, people = held_back_of(one, 5), counts_of_people(one)
        assert all(held.counts[name] == len(who) for name, who in people.items())
        for inner, few in people.items():
            for outer, many in people.items():
                type_of = [name.split(".type.")[1].split(".")[0] if ".type." in name else "" for name in (inner, outer)]
                if few <= many and 0 < len(many - few) < 5 and type_of[1] in ("", type_of[0]):
                    would += 1
                    assert {inner, outer} & held.hidden, (since, until, inner, outer)
    assert would > 100


def test_zero_and_not_asked_are_two_things() -> None:
    body = with_cell("adverse_events.csv", 1, "term", "dizziness")
    lines = body["adverse_events.csv"].decode().splitlines()[:1]
    registry, _ = read_registry({**body, "adverse_events.csv": (lines[0] + "\n").encode(),
                                 "registry.toml": body["registry.toml"].replace(b"small_cells = 5", b"small_cells = 0")})  # fmt: skip
    assert registry is not None
    harms = shown(audit(registry, date(2026, 11, 22)))["harms"]
    assert (harms["any"]["x"], harms["any"]["n"], harms["never_asked"]) == (0, 1, 1)
    assert harms["any"]["high"] == pytest.approx(0.975)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_needs_nothing_else_and_says_that_it_is_simulated(found: Audit) -> None:
    text = audit_page(found)
    assert text == audit_page(found)
    page = _Page()
    page.feed(text)
    assert not [t for t, _ in page.tags if t in ("script", "link", "img", "iframe")]
    assert all(
        (a.get("href") or "#")[0] == "#" or (a["href"] or "").startswith("data:text/csv")
        for t, a in page.tags
        if t == "a"
    )
    sections = text.split("<section ")[1:]
    assert len(sections) == 11 and all("Simulated</p>" in s for s in sections)
    assert (
        'class="simulated" role="region" aria-label="Simulated data">SIMULATED' in text and "<title>SIMULATED" in text
    )
    saved = [a["download"] for t, a in page.tags if t == "a" and "download" in a]
    assert saved and all((name or "").startswith("simulated-") for name in saved)
    assert all(figure.title.startswith("SIMULATED") for figure in figures(found).values())
    assert len(figures(found)) == 6
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_tables_of_the_page_run_nothing_in_a_spreadsheet(found: Audit) -> None:
    registry, _ = read_registry(files(**{"registry.toml": files()["registry.toml"].decode()
        .replace("small_cells = 5", "small_cells = 0").replace('name = "Our clinic"', 'name = "=cmd|calc!A1<b>"')}))  # fmt: skip
    assert registry is not None
    text = audit_page(audit(registry, date(2026, 11, 22)))
    assert "<b>" not in text and "SIMULATED" not in text
    cells = [
        cell for address in re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', text)
        for row in csv.reader(io.StringIO(unquote(address).lstrip("\ufeff"))) for cell in row
    ]  # fmt: skip
    assert "'=cmd|calc!A1<b>" in cells
    assert not [c for c in cells if re.match(r"[=+@]|-(?![\d.])", c)]


def test_a_registry_with_nobody_has_a_page(found: Audit) -> None:
    from balm.registry.registry import Registry

    text = audit_page(audit(Registry(found.definition), date(2026, 11, 22)))
    assert "Too few people" in text and "nan" not in text.lower().replace("nano", "")


def test_beside_the_bundled_review(found: Audit) -> None:
    trials, cohorts, limits, title = evidence_of(REVIEW)
    assert {t.id for t in trials} >= {"pain-week-1", "responders-immediate", "responders-over-4-weeks"}
    beside = beside_evidence(found, trials, cohorts, review=title)
    by_id = {b.trial.id: b for b in beside.trials}
    immediate = by_id["responders-immediate"]
    assert (
        immediate.trial.k == 4
        and immediate.visit is None
        and "the registry has no visit in this window" in immediate.why_not
    )
    early = by_id["responders-week-1"]
    assert early.visit is not None and early.visit.id == "wk1" and early.response is not None and early.same_window
    at_week = dict(found.at_visits)["wk1"]
    assert early.response == next(r.over_assessed for r in at_week if r.definition.id == "pain50")
    late = by_id["responders-over-4-weeks"]
    assert late.visit is not None and late.visit.id == "mo1" and late.response is not None
    assert (
        late.response == found.responders[1].over_assessed
        and late.trial.arms == (2, 12)
        and any("one trial only" in w for w in late.why_not)
    )
    week = by_id["pain-week-1"]
    assert week.visit is not None and week.visit.id == "wk1" and week.change is not None and week.change[0] < 0
    assert any("without control" in w for w in week.why_not)
    (dendermonde,) = beside.cohorts
    assert (dendermonde.cohort_assessed.x, dendermonde.cohort_assessed.n, dendermonde.cohort_treated.n) == (23, 45, 74)
    assert round(100 * dendermonde.cohort_assessed.share, 1) == 51.1
    assert round(100 * dendermonde.cohort_treated.share, 1) == 31.1
    assert any("does not report when" in w for w in dendermonde.why_not)
    assert dendermonde.definition is not None and dendermonde.definition.id == "pain50-kept"
    assert any("by pain type" in w for w in dendermonde.why_not) and len(beside.reasons) == 6
    assert limits and all(one.of for one in limits) and not [one for one in limits if "Brief C" in one.label]
    text = audit_page(found, beside)
    cells = re.findall(r"<tr>.*?</tr>", text.split('id="table-evidence-trials"')[1].split("</table>")[0])
    assert {len(re.findall("<t[hd][ >]", row)) for row in cells} == {8}
    assert "23/45" in text and "23/74" in text and "must not be subtracted" in text


def test_figures_of_the_report() -> None:
    curve = kaplan_meier([5, 8, 8, 12, 20, 30], [True, True, False, False, True, False])
    drawn = kaplan_meier_figure(curve, fewest=5, title="x")
    assert "at the end 67%" in drawn.description and "median 20<" not in drawn.svg
    with pytest.raises(InputError, match="nothing to draw"):
        kaplan_meier_figure(curve, fewest=7)
    chart = control_chart_figure(
        p_chart([30, 2, 3], [50, 50, 50]), ["a", "b", "c"], hidden=[False, False, True], per_cent=True
    )
    assert "not shown" in chart.svg and "rule 1" in chart.svg
    with pytest.raises(InputError):
        control_chart_figure(p_chart([1, 2], [5, 5]), ["a"])
    assert "Outside the 95% limits: A, B." in site_funnel(["A", "B"], [40, 2], [80, 30]).description
    assert site_funnel(["A"], [0], [8]).svg.count("<circle") == 1
    assert means_over_time([0, 7, 8], ["Baseline", "1 week", "8 days"], [(7, 6, 8)] * 3, ["9", "9", "9"]).svg
    assert (
        "29 not analysed"
        in participant_flow_figure([("Treated", "74", ["29 not analysed"]), ("Analysed", "45", [])]).svg
    )
    for wrong in (
        lambda: site_funnel([], [], []),
        lambda: participant_flow_figure([]),
        lambda: means_over_time([], [], [], []),
    ):
        with pytest.raises(InputError):
            wrong()
    for figure in (chart, kaplan_meier_figure(curve)):
        assert figure.pdf().startswith(b"%PDF")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    assert main(["registry", "demonstration", str(folder), "--people", "30"]) == 0
    assert "SIMULATED" in capsys.readouterr().out
    page = tmp_path / "audit.html"
    assert main(["registry", "audit", str(folder), "-o", str(page), "--figures", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("SIMULATED") and "of all treated" in said and page.exists()
    assert (tmp_path / "simulated-participant-flow.svg").exists()
    assert main(["registry", "audit", str(folder), "--json", "--site", "sim-north", "--as-of", "2026-01-01"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["simulated"] and values["site"] == "Simulated clinic North" and values["as_of"] == "2026-01-01"
    for words, status in (
        (["audit", str(folder), "--site", "nowhere", "--json"], 1),
        (["audit", str(folder), "-o", str(tmp_path / "a.docx")], 1),
        (["audit", str(folder), "--since", "2026-05-01", "--until", "2026-01-01", "--json"], 1),
        (["audit", str(folder), "--as-of", "2126-01-01", "--json"], 1),
        (["audit", str(folder), "--as-of", "yesterday"], 2),
        (["audit", str(folder), "--seed", "3"], 2),
        (["demonstration", str(folder)], 1),
        (["demonstration", str(tmp_path / "x"), "--people", "0"], 1),
        (["audit", str(tmp_path / "nowhere")], 1),
    ):
        assert main(["registry", *words]) == status, words
        assert "Traceback" not in capsys.readouterr().err


def test_an_audit_of_a_folder(tmp_path: Path) -> None:
    new_demonstration(tmp_path / "demo", people=12)
    found, evidence = audit_registry(tmp_path / "demo", since=date(2024, 6, 1))
    assert evidence is None and found.period[0] == date(2024, 6, 1)
    with pytest.raises(InputError, match="not an empty folder"):
        new_demonstration(tmp_path / "demo")
    (tmp_path / "clinic").mkdir()
    write_files(tmp_path / "clinic", files())
    assert audit_registry(tmp_path / "clinic", review=REVIEW)[1] is not None
