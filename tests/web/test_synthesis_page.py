"""The analysis page: the same numbers as the package's report, other choices in place, figures, tables, roles."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from html import unescape
from xml.etree import ElementTree

import pytest

from balm.actions.review import Review as Folder
from balm.actions.team.rows import put_row
from balm.report.html_report.analysis_view import finding
from balm.review.analysis_choices import choose
from balm.review.synthesis import analyse
from balm.store.reviews.models import Row
from tests.web.conftest import KETAMINE, Team

MAIN = "analysis=responders-immediate"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def address(team: Team, more: str = "") -> str:
    return f"/reviews/{team.review.slug}/synthesis/{more}"


def text_of(body: bytes) -> str:
    return unescape(body.decode())


def test_the_page_opens_at_the_first_pooled_analysis_and_the_list_counts_studies(team: Team) -> None:
    results = Folder.load(KETAMINE).synthesise().analyses
    assert results[0].fit is None, "else this test asks nothing"
    first = next(result for result in results if result.fit)
    page = text_of(team.reader.client.get(address(team)).content)
    assert f"<h1>{first.title}</h1>" in page and '<img src="' in page
    for result in results:
        studies = len({row.study for row in result.rows})
        said = f"{studies} stud{'y' if studies == 1 else 'ies'}" if studies else "no data"
        assert f'{result.title} <span class="quiet">{said}</span>' in page


def test_every_planned_analysis_says_what_the_report_says(team: Team) -> None:
    for result in Folder.load(KETAMINE).synthesise().analyses:
        page = text_of(team.reader.client.get(address(team, f"?analysis={result.id}")).content)
        for line in finding(result):
            assert line in page, (result.id, line)
        assert "As planned" in page


def test_another_choice_is_the_engine_s_answer_and_is_marked(team: Team) -> None:
    query = f"?{MAIN}&measure=OR&method=mantel-haenszel&model=common"
    page = text_of(team.statistician.client.get(address(team, query)).content)
    package = Folder.load(KETAMINE).package
    chosen = choose(package, {"analysis": ["responders-immediate"], "measure": ["OR"],
                              "method": ["mantel-haenszel"], "model": ["common"]})  # fmt: skip
    assert finding(analyse(package, chosen.spec))[0] in page
    assert "Differs from the plan: effect measure, method, model" in page
    assert "risk ratio</h1>" not in page


def test_htmx_gets_the_workbench_alone_and_the_same_numbers(team: Team) -> None:
    whole = team.reader.client.get(address(team, f"?{MAIN}&tau2=DL"))
    part = team.reader.client.get(address(team, f"?{MAIN}&tau2=DL"), headers={"HX-Request": "true"})
    assert "<html" in text_of(whole.content) and "<html" not in text_of(part.content)
    assert re.findall(r"data=[0-9a-f]{16}", text_of(part.content))[0] in text_of(whole.content)
    assert "HX-Request" in part.headers["Vary"]


def test_a_choice_that_does_not_go_with_another_is_set_and_said(team: Team) -> None:
    page = text_of(team.reader.client.get(address(team, f"?{MAIN}&outcome=pain-intensity")).content)
    assert "The measure is MD: RR does not go with this outcome and comparison." in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?analysis=nothing", "analysis must be one of"),
        (f"?{MAIN}&tau2=XX", "tau2 must be one of"),
        (f"?{MAIN}&outcome=<script>", "outcome must be one of"),
        (f"?{MAIN}&r=2", "within-person correlation from 0 to below 1"),
        (f"?{MAIN}&r=nan", "within-person correlation from 0 to below 1"),
        (f"?{MAIN}&level=95", "level must be between 0 and 1"),
        (f"?{MAIN}&without=nobody", "without must be one of"),
        (f"?{MAIN}&window=never", "window must be one of"),
    ],
)
def test_bad_choices_say_what_there_is(team: Team, query: str, said: str) -> None:
    response = team.reader.client.get(address(team, query))
    assert response.status_code == 422
    assert said in text_of(response.content)
    assert b"<script>" not in response.content
    assert b"Traceback" not in response.content


def test_sensitivity_analyses_can_be_added(team: Team) -> None:
    page = text_of(team.reader.client.get(address(team, f"?{MAIN}&without=noppers2011&r=0.15")).content)
    assert "without Noppers 2011" in page.split("sensitivity-title", 1)[1]
    assert "r = 0.15" in page
    assert "No study of this analysis is judged to be at high risk of bias." in page


def test_studies_at_high_risk_of_bias_can_be_left_out(team: Team) -> None:
    cells = {"study": "noppers2011", "tool": "RoB 2", "domain": "Overall", "judgement": "high", "verified": "yes"}
    put_row(team.owner.acting, "risk_of_bias.csv", cells)
    page = text_of(team.reader.client.get(address(team, f"?{MAIN}&low-risk=yes")).content)
    assert "(1 of this analysis)" in page
    package = Folder.load(KETAMINE).package
    result = analyse(package, choose(package, {"analysis": ["responders-immediate"], "without": ["noppers2011"]}).spec)
    mine = result.sensitivity[-1].fit
    assert mine is not None and mine.k == 3
    assert f"{mine.displayed.estimate:.2f}" in page.split("without studies at high risk of bias")[1]


def test_small_study_tests_wait_for_ten_studies(team: Team) -> None:
    page = text_of(team.reader.client.get(address(team, f"?{MAIN}")).content)
    assert "below 10 studies asymmetry cannot be told from chance" in page and "4 are pooled here" in page
    assert team.reader.client.get(address(team, f"funnel.svg?{MAIN}")).status_code == 404


def test_figures_carry_the_hash_of_their_data(team: Team) -> None:
    page = text_of(team.reader.client.get(address(team, f"?{MAIN}")).content)
    links = re.findall(r'<img src="([^"]+)"', page)
    assert [re.search(r"/([a-z-]+)\.svg", link)[1] for link in links] == ["forest", "leave-one-out", "cumulative"]  # type: ignore[index]
    for link in links:
        picture = team.reader.client.get(link)
        assert picture.headers["Content-Type"] == "image/svg+xml" and picture.content.startswith(b"<svg")
        assert "immutable" in picture.headers["Cache-Control"]
        assert "script-src" not in picture.headers["Content-Security-Policy"]
        assert "default-src 'none'" in picture.headers["Content-Security-Policy"]
    old = team.reader.client.get(re.sub(r"data=\w+", "data=0000000000000000", links[0]))
    assert old.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_figures_are_taken_away(team: Team, ending: str, start: bytes) -> None:
    response = team.reader.client.get(address(team, f"forest.{ending}?{MAIN}&download=1"))
    assert response.content.startswith(start)
    assert response.headers["Content-Disposition"] == f'attachment; filename="responders-immediate-forest.{ending}"'
    assert team.reader.client.get(address(team, f"forest.exe?{MAIN}")).status_code == 404


def test_the_table_as_csv_and_xlsx_holds_numbers_and_no_formula(team: Team) -> None:
    row = Row.objects.get(review=team.review, table="studies.csv", key="noppers2011")
    put_row(
        team.owner.acting, "studies.csv", row.cells | {"label": "=cmd|' /C calc'!A0"}, reason="a trial of injection"
    )
    response = team.reader.client.get(address(team, f"table/analysis.csv?{MAIN}"))
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[0]["study"] == "'=cmd|' /C calc'!A0"
    fit = Folder.load(KETAMINE).synthesise().analysis("responders-immediate").fit
    assert fit is not None
    assert [float(r["effect"]) for r in rows] == fit.effects.effect.tolist()
    assert [float(r["weight per cent"]) for r in rows] == fit.weights.tolist()
    book = team.reader.client.get(address(team, f"table/analysis.xlsx?{MAIN}")).content
    with zipfile.ZipFile(io.BytesIO(book)) as packed:
        names = packed.namelist()
        sheets = [ElementTree.fromstring(packed.read(n)) for n in names if n.startswith("xl/worksheets/sheet")]
        words = [t.text for t in ElementTree.fromstring(packed.read("xl/sharedStrings.xml")).iter(f"{SHEET}t")]
    assert len(sheets) == 3 and not [f for sheet in sheets for f in sheet.iter(f"{SHEET}f")]
    assert not [n for n in names if "externalLink" in n or "vba" in n.lower()]
    assert "=cmd|' /C calc'!A0" in words, "a text, as it is"
    cells = [c for c in sheets[0].iter(f"{SHEET}c") if c.get("t", "n") == "n"]
    numbers = [float(v.text or "") for c in cells for v in c.iter(f"{SHEET}v")]
    for effect in fit.effects.effect.tolist():
        assert any(n == pytest.approx(effect, rel=1e-15) for n in numbers), "the format keeps 16 digits"


def test_the_json_is_the_whole_result(team: Team) -> None:
    found = json.loads(team.reader.client.get(address(team, f"table/analysis.json?{MAIN}")).content)
    fit = Folder.load(KETAMINE).synthesise().analysis("responders-immediate").fit
    assert fit is not None and found["fit"]["estimate"] == fit.estimate
    assert len(found["data"]["rows"]) == 4


@pytest.mark.parametrize(
    "query",
    [MAIN, "analysis=pain-two-trials", "analysis=crps-series", "analysis=hardy-check",
     f"{MAIN}&measure=PETO&method=peto&model=common&by=", f"{MAIN}&measure=RD&tau2=DL&inference=wald"],
)  # fmt: skip
def test_the_script_gives_the_numbers_again(team: Team, query: str) -> None:
    code = team.reader.client.get(address(team, f"table/analysis.py?{query}")).content.decode()
    found = json.loads(team.reader.client.get(address(team, f"table/analysis.json?{query}")).content)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    assert not [line for line in lines if line[-1].startswith("differs")]
    numbers = {line[1]: float(line[2]) for line in lines if len(line) == 4 and line[0] == "all"}
    if found["fit"] is None:
        assert not numbers
        return
    for name, key in (("estimate", "estimate"), ("se", "se"), ("tau2", "tau2"), ("i2", "i2"), ("q", "q")):
        assert numbers[name] == pytest.approx(found["fit"][key], rel=1e-12, abs=1e-12), name
    assert numbers["displayed.interval.low"] == pytest.approx(found["fit"]["displayed"]["ci_low"], rel=1e-12)


def test_the_page_follows_the_rows(team: Team) -> None:
    before = text_of(team.reader.client.get(address(team, f"?{MAIN}")).content)
    row = Row.objects.get(review=team.review, table="results.csv",
                          key="noppers2011-responder-15-min-after-infusion-ket")  # fmt: skip
    put_row(team.owner.acting, "results.csv", row.cells | {"events": "9"}, reason="read again")
    after = text_of(team.reader.client.get(address(team, f"?{MAIN}")).content)
    assert re.findall(r"data=(\w{16})", before)[0] != re.findall(r"data=(\w{16})", after)[0]


def test_strangers_and_anonymous_people_see_nothing(team: Team) -> None:
    for more in ("", f"forest.svg?{MAIN}", f"table/analysis.csv?{MAIN}", "pinned/1.json"):
        assert team.stranger.client.get(address(team, more)).status_code == 404
        assert team.anonymous.get(address(team, more)).status_code == 302


def test_a_page_takes_no_time_once_its_numbers_are_there(team: Team) -> None:
    team.reader.client.get(address(team, f"?{MAIN}"))
    start = time.process_time()
    team.reader.client.get(address(team, f"?{MAIN}"))
    assert time.process_time() - start < 0.3


def test_an_empty_plan_says_what_to_do_next(team: Team) -> None:
    from balm.store.reviews.models import StoredFile

    file = StoredFile.objects.get(review=team.review, path="review.toml")
    head = bytes(file.content).decode().split("# ---- analyses")[0]
    StoredFile.objects.filter(pk=file.pk).update(content=head.encode(), sha256="other")
    for row in Row.objects.filter(review=team.review, table__in=["published.csv", "claims.csv", "certainty.csv"]):
        row.delete()
    put_row(team.owner.acting, "gaps.csv", {"gap": "g-new", "priority": "1", "missing": "more"})
    response = team.reader.client.get(address(team))
    assert response.status_code == 200
    said = text_of(response.content)
    assert "No analysis is planned yet" in said and 'role="alert"' not in said


def test_the_forest_plot_shows_the_subgroups_that_are_chosen(team: Team) -> None:
    drawn = {
        by: text_of(team.reader.client.get(address(team, f"forest.svg?{MAIN}&by={by}")).content)
        for by in ("", "pain_class", "design")
    }
    assert "Subtotal" not in drawn[""]
    for by, level in (("pain_class", "neuropathic"), ("design", "cross-over")):
        assert f">{level}<" in drawn[by] and "Subtotal" in drawn[by] and "Test for subgroup differences" in drawn[by]
